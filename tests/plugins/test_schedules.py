"""Factors of the learning rate, computed by hand or by torch's own schedulers."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from tests import parity
from tests.covered import value_of
from tests.specs import specs_of

SPECS = specs_of("schedule")


def factors(name: str, steps: int, epochs: int, **options: Any) -> list[float]:
    spec = SPECS[name]
    ctx = parity.context([3, 2, 1], parity.narrow_vit(1))
    schedule = spec.build(spec.config(**options), ctx)
    return [schedule(step, steps, epochs) for step in range(steps * epochs)]


def of_torch(scheduler: Any, count: int, **options: Any) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    made, found = scheduler(optimizer, **options), []
    for _ in range(count):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        made.step()
    return found


@value_of("schedule", "cosine_per_epoch")
@pytest.mark.parametrize("epochs", [1, 3, 5, 10, 15])
def test_cosine_per_epoch_has_the_bits_of_the_papers_rates(epochs: int) -> None:
    found = factors("cosine_per_epoch", 3, epochs)
    for lr in (0.02, 0.01, 0.001, 0.03):
        papers = [lr * (1 + math.cos(math.pi * epoch / epochs)) / 2 for epoch in range(epochs)]
        assert [lr * factor for factor in found] == [rate for rate in papers for _ in range(3)]


def test_cosine_per_epoch_warms_up_as_coop_does() -> None:
    """Dassl's constant warm-up is followed by a cosine over the number of all epochs."""
    found = factors("cosine_per_epoch", 2, 4, warmup_epochs=1, warmup_factor=0.005)
    cosine = of_torch(torch.optim.lr_scheduler.CosineAnnealingLR, 3, T_max=4)
    assert found[::2] == pytest.approx([0.005, *cosine])
    assert found[::2] == found[1::2]


@value_of("schedule", "cosine")
def test_cosine_is_that_of_torch() -> None:
    expected = of_torch(torch.optim.lr_scheduler.CosineAnnealingLR, 12, T_max=12)
    assert factors("cosine", 4, 3) == pytest.approx(expected)
    warm = factors("cosine", 4, 4, warmup_epochs=1.0)
    assert warm == pytest.approx([0.25, 0.5, 0.75, 1.0, *expected])


def test_a_warm_up_may_be_longer_than_the_training() -> None:
    assert factors("cosine", 2, 1, warmup_epochs=4.0) == [1 / 8, 2 / 8]
    assert factors("cosine_per_epoch", 2, 1, warmup_epochs=4, warmup_factor=0.5) == [0.5, 0.5]


@value_of("schedule", "constant", "linear")
def test_constant_and_linear_by_hand() -> None:
    assert factors("constant", 2, 3) == [1.0] * 6
    assert factors("linear", 2, 2) == [1.0, 0.75, 0.5, 0.25]
