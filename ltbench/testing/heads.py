"""Checks of heads."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from ltbench.protocols import StartsItself
from ltbench.registry.component import Component
from ltbench.testing.bench import Bench, Trial, context, trials
from ltbench.testing.check import Check, Skipped, bind

WIDTH = 16


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks of a head."""
    functions = (check_shapes, check_gradients, check_copies, check_half_precision)
    for trial in trials(component):
        yield from bind(f"head {trial.name}", functions, component, bench, trial)


def _head(component: Component, bench: Bench, trial: Trial, classes: int = 4) -> Any:
    ctx = context((3,) * classes, width=WIDTH, logit_scale=20.0)
    head = component.spec.build(bench.config(trial, component), ctx)
    if isinstance(head, StartsItself):
        raise Skipped("the head starts from a backbone, so only its run is checked")
    with torch.no_grad():
        generator = torch.Generator().manual_seed(0)
        head.weight.copy_(torch.randn(classes, WIDTH, generator=generator))
    return head


def _features(size: int = 5) -> torch.Tensor:
    return torch.randn(size, WIDTH, generator=torch.Generator().manual_seed(1))


def check_shapes(component: Component, bench: Bench, trial: Trial) -> None:
    """Logits (B, K) of features (B, width) are finite, for any K and B."""
    for classes in (2, 4, 10_000):
        head = _head(component, bench, trial, classes)
        for size in (1, 5):
            logits = head(_features(size))
            assert logits.shape == (size, classes), f"logits have the shape {tuple(logits.shape)}"
            assert logits.isfinite().all(), "some logits are not finite"


def check_gradients(component: Component, bench: Bench, trial: Trial) -> None:
    """Gradients reach the features and every learned parameter."""
    head, features = _head(component, bench, trial), _features().requires_grad_()
    torch.nn.functional.cross_entropy(head(features), torch.arange(5) % 4).backward()
    assert features.grad is not None
    assert features.grad.any()
    for name, parameter in head.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, f"no gradient reaches {name}"


def check_copies(component: Component, bench: Bench, trial: Trial) -> None:
    """A deep copy is independent, and its state can be loaded into the original's class."""
    head: nn.Module = _head(component, bench, trial)
    before = head(_features())
    copied = copy.deepcopy(head)
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.add_(torch.rand_like(parameter))
    assert torch.equal(before, head(_features())), "changing the copy changes the original"
    assert not torch.equal(before, copied(_features())), "the copy uses the original's weight"
    copied.load_state_dict(head.state_dict())
    assert torch.equal(before, copied(_features())), "the state does not contain everything"


def check_half_precision(component: Component, bench: Bench, trial: Trial) -> None:
    """In bfloat16 the logits are within 2 % of those in float32."""
    head = _head(component, bench, trial)
    exact = head(_features())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = head(_features()).float()
    difference = torch.linalg.norm(rounded - exact) / torch.linalg.norm(exact)
    assert difference < 0.02, f"{100 * difference:.1f} %"
