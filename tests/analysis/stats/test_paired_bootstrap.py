from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from ltbench.analysis.stats.paired_bootstrap import bootstrap_deviations, paired_bootstrap
from ltbench.analysis.stats.strata import Strata
from tests.analysis.stats.simulate import World, strata

ONE = {"all": np.array([True])}


def test_one_class_equals_scipy() -> None:
    differences = np.repeat([1, -1, 0], [30, 12, 158]).astype(np.int8)
    ours = paired_bootstrap(differences, Strata.from_labels(np.zeros(200, int), ONE))["accuracy"]
    assert ours.difference == pytest.approx(0.09)
    theirs = bootstrap((differences.astype(float),), np.mean, method="percentile", rng=0)
    assert [ours.low, ours.high] == pytest.approx(list(theirs.confidence_interval), abs=0.006)


def test_the_spread_is_that_of_the_strata() -> None:
    """Variance and degrees of freedom of a stratified mean, by their formulas."""
    random = np.random.default_rng(0)
    sizes = np.array([50, 20, 8, 8, 8])
    differences = World(better=0.5).differences(random, 4, sizes)
    layers = strata(sizes)
    drawn = bootstrap_deviations(differences, layers, resamples=40_000, seed=1)
    means = differences.mean(axis=0)
    variances = np.array([means[layers.image_strata == k].var(ddof=1) for k in range(5)])
    for m, weights in enumerate(layers.weights.values()):
        assert drawn[:, m].mean() == pytest.approx(0, abs=0.002)
        parts = weights**2 * variances / sizes
        freedom = parts.sum() ** 2 / (parts**2 / (sizes - 1)).sum()
        expected = np.sqrt(parts.sum() * freedom / (freedom - 2))  # of a t distribution
        assert drawn[:, m].std() == pytest.approx(expected, rel=0.02)


def test_classes_alike_are_drawn_together_with_the_same_spread() -> None:
    differences = np.tile([1, 0, 0, -1, 1], 200).astype(np.int8)[None]
    layers = strata(np.full(200, 5))
    drawn = bootstrap_deviations(differences, layers, resamples=5000, seed=0)
    expected = np.sqrt(np.var(differences[0, :5], ddof=1) / 1000)
    assert drawn[:, 0].std() == pytest.approx(expected, rel=0.05)


def test_models_that_agree_have_no_spread() -> None:
    found = paired_bootstrap(np.zeros(30, np.int8), strata(np.full(3, 10)))
    assert {(each.low, each.difference, each.high) for each in found.values()} == {(0, 0, 0)}


@pytest.mark.full
@pytest.mark.parametrize("sizes", [np.full(40, 3), np.array([100, 60, 30, 10, 5])])
def test_the_interval_covers(sizes: np.ndarray) -> None:
    random, world, layers = np.random.default_rng(0), World(images=0.5), strata(sizes)
    held = [
        each.low <= 1e-12 and each.high >= -1e-12
        for _ in range(800)
        for name, each in paired_bootstrap(
            world.differences(random, 1, sizes)[0], layers, resamples=399
        ).items()
        if name == "mean_class"
    ]
    assert 0.92 <= np.mean(held) <= 0.975
