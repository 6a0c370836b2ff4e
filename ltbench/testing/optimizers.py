"""Checks of optimizers: what they change, what they leave, and that their state can be stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ltbench.config.runspec import Precision
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.building.checked_optimizer import (
    CheckedOptimizer,
    GroupRule,
    set_learning_rate,
)
from ltbench.engine.model.precision import asked_for
from ltbench.engine.training.checkpoint import TrainState, load_state, save_state
from ltbench.registry.component import Component
from ltbench.testing.bench import (
    Bench,
    Trial,
    context,
    folder,
    start_training,
    take_steps,
    trials,
)
from ltbench.testing.check import Check, bind


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks."""
    on_a_run = (check_learned_moves, check_state_is_stored)
    alone = (check_overflow_leaves_no_trace, check_learning_rate_factor, check_no_weight_decay)
    for trial in trials(component):
        subject = f"optimizer {trial.name}"
        yield from bind(subject, on_a_run, bench, trial)
        yield from bind(subject, alone, component, bench, trial)


def _built(bench: Bench, trial: Trial) -> BuiltRun:
    return bench.build_run(trial.settings)


def _learned(built: BuiltRun) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in built.model.learned().items()}


def check_learned_moves(bench: Bench, trial: Trial) -> None:
    """Training moves the learned parameters, keeps them finite, and leaves the frozen ones."""
    built = _built(bench, trial)
    before = {name: p.detach().clone() for name, p in built.model.named_parameters()}
    take_steps(built, 3)
    after, learned = dict(built.model.named_parameters()), built.model.learned()
    moved = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert moved & learned.keys(), "none of them moved"
    frozen = sorted(moved - learned.keys())
    assert not frozen, f"{frozen} are frozen and moved"
    broken = [name for name, value in learned.items() if not value.isfinite().all()]
    assert not broken, f"{broken} are not finite"


def check_state_is_stored(bench: Bench, trial: Trial) -> None:
    """Training goes on from a checkpoint with the same bits."""
    whole, parts, resumed = (_built(bench, trial) for _ in range(3))
    take_steps(whole, 4)
    state = start_training(parts)
    take_steps(parts, 2, state)
    with folder() as name:
        path = Path(name) / "checkpoint.safetensors"
        save_state(state, parts.model, path)
        again = start_training(resumed)
        load_state(again, resumed.model, path)
    take_steps(resumed, 2, again)
    expected, found = _learned(whole), _learned(resumed)
    unlike = [name for name, value in expected.items() if not torch.equal(value, found[name])]
    assert not unlike, f"{unlike} have other bits than without a stop"


def _weights() -> dict[str, nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    shapes = {"first": (5, 4), "second": (3,)}
    return {n: nn.Parameter(torch.randn(s, generator=generator)) for n, s in shapes.items()}


def _state(
    component: Component,
    bench: Bench,
    trial: Trial,
    weights: Mapping[str, nn.Parameter],
    second: GroupRule,
    precision: Precision = "fp32",
) -> TrainState:
    """Returns the state before the first step, with a rule for the second of the weights."""
    built = component.spec.build(bench.config(trial, component), context((6, 3, 1, 0)))
    optimizer = CheckedOptimizer(built, component, {"second": second})(weights, 0.01)
    set_learning_rate(optimizer, 0.01)
    return TrainState.start(optimizer, asked_for(precision, torch.device("cpu")))


def _step(state: TrainState, weights: Mapping[str, nn.Parameter], slope: float) -> None:
    loss = sum((slope * weight.square().sum() for weight in weights.values()), torch.zeros(()))
    state.scaler.scale(loss).backward()
    state.scaler.step(state.optimizer)
    state.scaler.update()
    state.optimizer.zero_grad()


def check_overflow_leaves_no_trace(component: Component, bench: Bench, trial: Trial) -> None:
    """A first step that overflows in float16 is skipped, and the next one is as the first."""
    found = []
    for slopes in ((float("inf"), 1.0, 2.0), (1.0, 2.0)):
        weights = _weights()
        state = _state(component, bench, trial, weights, GroupRule(), "fp16")
        for slope in slopes:
            _step(state, weights, slope)
        found.append(weights)
    skipped, plain = found
    unlike = [name for name, value in plain.items() if not torch.equal(value, skipped[name])]
    assert not unlike, f"{unlike} differ"


def check_learning_rate_factor(component: Component, bench: Bench, trial: Trial) -> None:
    """A group with a learning-rate factor of 0 stays, and the other moves."""
    weights, before = _weights(), _weights()
    state = _state(component, bench, trial, weights, GroupRule(lr_factor=0.0))
    for _ in range(3):
        _step(state, weights, 1.0)
    assert torch.equal(weights["second"], before["second"]), "it moved at a learning rate of 0"
    assert not torch.equal(weights["first"], before["first"]), "the other group did not move"


def check_no_weight_decay(component: Component, bench: Bench, trial: Trial) -> None:
    """A group without weight decay stays where its gradients are zero."""
    weights, before = _weights(), _weights()
    state = _state(component, bench, trial, weights, GroupRule(decays=False))
    for _ in range(3):
        _step(state, weights, 0.0)
    assert torch.equal(weights["second"], before["second"]), "it moved"
