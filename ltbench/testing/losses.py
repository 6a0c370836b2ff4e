"""Checks of losses."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ltbench.contexts import BuildContext
from ltbench.protocols import ScheduledLoss
from ltbench.registry.component import Component
from ltbench.specs import LossSpec
from ltbench.testing.bench import Bench, Trial, context, trials
from ltbench.testing.check import Check, bind

CLASSES = {
    "two classes": (5, 2),
    "a class with one image and one without": (6, 3, 1, 0),
    "ten thousand classes": tuple(10_000 // (index + 1) for index in range(10_000)),
}


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks of a loss."""
    functions = (
        check_finite,
        check_half_precision,
        check_descends,
        check_repeats,
        check_prior_factors,
    )
    for trial in trials(component):
        yield from bind(f"loss {trial.name}", functions, component, bench, trial)


def _value(
    component: Component, bench: Bench, trial: Trial, logits: Tensor, labels: Tensor, ctx: Any
) -> Tensor:
    loss = component.spec.build(bench.config(trial, component), ctx)
    if isinstance(loss, ScheduledLoss):
        loss.start_epoch(0.9)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # a loss may draw random numbers: the engine seeds each epoch
        value: Tensor = loss(logits, labels)
    return value


def _batch(ctx: BuildContext, size: int, dtype: torch.dtype = torch.float32) -> Any:
    generator = torch.Generator().manual_seed(0)
    logits = 5 * torch.randn(size, ctx.num_classes, generator=generator)
    labels = torch.randint(ctx.num_classes, (size,), generator=generator)
    return logits.to(dtype).requires_grad_(), labels


def check_finite(component: Component, bench: Bench, trial: Trial) -> None:
    """The value is a finite scalar with finite gradients, for any class counts and batch size."""
    for name, counts in CLASSES.items():
        for size in (1, 7):
            ctx = context(counts)
            logits, labels = _batch(ctx, size)
            value = _value(component, bench, trial, logits, labels, ctx)
            assert value.shape == (), f"{name}: the value has the shape {tuple(value.shape)}"
            assert value.isfinite(), f"{name}, batch of {size}: the value is {value}"
            (gradient,) = torch.autograd.grad(value, logits)
            assert gradient.isfinite().all(), f"{name}, batch of {size}: gradients are not finite"
            assert gradient.any(), f"{name}, batch of {size}: no gradient reaches the logits"


def check_half_precision(component: Component, bench: Bench, trial: Trial) -> None:
    """Logits in half precision give a finite value."""
    ctx = context(CLASSES["a class with one image and one without"])
    for dtype in (torch.float16, torch.bfloat16):
        logits, labels = _batch(ctx, 7, dtype)
        value = _value(component, bench, trial, 5 * logits, labels, ctx)
        assert value.isfinite(), f"{dtype}: the value is {value}"


def check_descends(component: Component, bench: Bench, trial: Trial) -> None:
    """A small step against the gradient reduces the value."""
    ctx = context((6, 3, 1))
    logits, labels = _batch(ctx, 7)
    before = _value(component, bench, trial, logits, labels, ctx)
    (gradient,) = torch.autograd.grad(before, logits)
    after = _value(component, bench, trial, logits - 1e-2 * gradient, labels, ctx)
    assert after < before, f"from {before} to {after}"


def check_repeats(component: Component, bench: Bench, trial: Trial) -> None:
    """A second build and call gives the same value, and the logits are not modified."""
    ctx = replace(context((6, 3, 1)), head_scale=25.0)
    logits, labels = _batch(ctx, 7)
    kept = logits.detach().clone()
    values = [_value(component, bench, trial, logits, labels, ctx) for _ in range(2)]
    assert torch.equal(*values)
    assert torch.equal(kept, logits)


def check_prior_factors(component: Component, bench: Bench, trial: Trial) -> None:
    """The stated factors of the prior, if any, are one positive number a class."""
    assert isinstance(component.spec, LossSpec)
    for name, counts in CLASSES.items():
        positive = tuple(max(count, 1) for count in counts)
        factors = component.spec.prior_factors(bench.config(trial, component), positive)
        if factors is not None:
            assert len(factors) == len(counts), f"{name}: expected {len(counts)} factors"
            wrong = [one for one in factors if not (math.isfinite(one) and one > 0)]
            assert not wrong, f"{name}: factors must be positive, got {wrong[0]}"
