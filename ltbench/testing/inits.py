"""Checks of initialisations."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ltbench.registry.component import Component
from ltbench.testing.bench import Bench, trials
from ltbench.testing.check import Check, bind


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks of an initialisation."""
    for trial in trials(component):
        for backbone in bench.backbones():
            subject = f"init {trial.name} on {backbone.name}"
            settings = {**backbone.settings, **trial.settings}
            yield from bind(subject, (check_weight, check_two_classes), bench, settings)


def check_weight(bench: Bench, settings: dict[str, object]) -> None:
    """The weight is finite, the same for the same seed, and the backbone is not changed."""
    first, second = (bench.build_run(settings) for _ in range(2))
    weight = first.model.head.get_parameter("weight")
    assert weight.isfinite().all(), "some weights are not finite"
    assert weight.any(), "the weight is zero"
    assert torch.equal(weight, second.model.head.get_parameter("weight")), (
        "the same seed gives another weight"
    )
    for parameter, same in zip(
        first.model.backbone.parameters(), second.model.backbone.parameters(), strict=True
    ):
        assert torch.equal(parameter, same), "the backbone differs"


def check_two_classes(bench: Bench, settings: dict[str, object]) -> None:
    """Two classes are enough for a weight."""
    built = bench.build_run({**settings, "dataset.counts": (4, 2)})
    assert built.model.head.get_parameter("weight").isfinite().all()
