"""Checks of samplings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ltbench.data.randomness import draw_epoch
from ltbench.registry.component import Component
from ltbench.testing.bench import Bench, Trial, context, trials
from ltbench.testing.check import Check, Skipped, bind
from ltbench.testing.losses import CLASSES


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks of a sampling."""
    for trial in trials(component):
        yield from bind(f"sampling {trial.name}", (check_weights,), component, bench, trial)


def check_weights(component: Component, bench: Bench, trial: Trial) -> None:
    """The weights are finite, not negative, one for each class, and reproducible."""
    for name, counts in CLASSES.items():
        sampling = component.spec.build(bench.config(trial, component), context(counts))
        weights = sampling.weights()
        if weights is None:
            raise Skipped("the sampling draws every image once")
        assert weights.shape == (len(counts),), f"{name}: the weights have shape {weights.shape}"
        assert np.isfinite(weights).all(), f"{name}: some weights are not finite"
        assert (weights >= 0).all(), f"{name}: some weights are negative"
        np.testing.assert_array_equal(weights, sampling.weights())
        labels = np.repeat(np.arange(len(counts)), counts)
        draws = draw_epoch(0, 0, labels, weights)
        assert len(np.unique(draws)) == len(labels), f"{name}: draws are not distinct"
