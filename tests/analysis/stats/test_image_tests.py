"""Tests on the images of one seed: McNemar's and the randomisation test."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as reference

from ltbench.analysis.stats.bounds import Bounds
from ltbench.analysis.stats.mcnemar import mcnemar
from ltbench.analysis.stats.randomisation import randomisation_test
from ltbench.analysis.stats.strata import Strata
from tests.analysis.stats.simulate import World, sampled_flips, strata


@pytest.mark.parametrize(("b", "c"), [(10, 3), (3, 10), (7, 7), (0, 5), (120, 90), (0, 0)])
def test_mcnemar_equals_statsmodels(b: int, c: int) -> None:
    expected = reference([[50, b], [c, 40]], exact=True).pvalue if b + c else 1.0
    assert mcnemar(b, c).p == pytest.approx(min(1.0, expected))


def test_on_a_balanced_test_set_randomisation_is_mcnemar() -> None:
    sizes = np.full(12, 20)
    differences = World(better=0.4).differences(np.random.default_rng(3), 1, sizes)[0]
    found = randomisation_test(differences, strata(sizes))
    for name, images in {
        "accuracy": slice(None),
        "many": slice(80),
        "few": slice(80, None),
    }.items():
        counts = (differences[images] > 0).sum(), (differences[images] < 0).sum()
        assert found[name].exact
        assert found[name].p == pytest.approx(mcnemar(*map(int, counts)).p)
    assert found["mean_class"] == found["accuracy"]


def test_all_sign_flips_by_hand() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1])
    differences = np.array([1, 1, 0, -1, 1, 1], np.int8)
    layers = Strata.from_labels(labels, {"all": np.array([True, True])})
    found = randomisation_test(differences, layers)["mean_class"]
    weights = np.array([1, 1, 1, 2, 2]) / 8  # of the five images that differ
    flips = np.array(list(itertools.product([1, -1], repeat=5)))
    as_large = np.abs(flips @ weights) >= abs(np.array([1, 1, -1, 1, 1]) @ weights) - 1e-12
    assert found.exact
    assert found.p == pytest.approx(as_large.mean())


@pytest.mark.full
def test_sampled_flips_agree_with_flipping_each_image() -> None:
    sizes = np.arange(5, 45)
    differences = World(better=0.25).differences(np.random.default_rng(4), 1, sizes)[0]
    layers = strata(sizes)
    found = randomisation_test(differences, layers)["mean_class"]
    assert not found.exact
    weights = (layers.weights["mean_class"] / sizes)[layers.image_strata] * differences
    flips = np.random.default_rng(5).choice([-1.0, 1.0], (20_000, len(differences)))
    expected = (np.abs(flips @ weights) >= abs(weights.sum()) - 1e-12).mean()
    assert found.p == pytest.approx(expected, abs=4 * np.sqrt(expected / 20_000) + 1e-3)


@pytest.mark.parametrize(("only_first", "only_second"), [(4, 0), (6, 0), (9, 3), (5, 5), (30, 12)])
def test_an_interval_excludes_zero_only_where_the_test_finds_a_difference(
    only_first: int, only_second: int
) -> None:
    differences = np.repeat([1, -1, 0], [only_first, only_second, 120 - only_first - only_second])
    layers = Strata.from_labels(np.zeros(120, int), {"all": np.array([True])})
    found = randomisation_test(differences, layers)["accuracy"]
    middle = (only_first - only_second) / 120
    bounds = Bounds(middle - 0.001, middle + 0.001).enclose(found.undetected_bounds(middle))
    bounds = bounds.align_with_p(middle, found.p, 0.95)
    assert (bounds.low > 0) == (found.p < 0.05)
    assert bounds.low <= middle <= bounds.high


def test_models_that_agree_do_not_differ() -> None:
    found = randomisation_test(np.zeros(30, np.int8), strata(np.full(3, 10)))
    assert {each.p for each in found.values()} == {1.0}


def test_false_positives_and_power() -> None:
    sizes = np.array([80, 40, 30, 20, 12, 8])
    layers = strata(sizes).select(["mean_class"])

    def found(better: float, repeats: int) -> float:
        random = np.random.default_rng(1)
        with sampled_flips():
            p = [
                randomisation_test(
                    World(better=better).differences(random, 1, sizes)[0], layers, resamples=499
                )["mean_class"].p
                for _ in range(repeats)
            ]
        return float((np.array(p) < 0.05).mean())

    assert 0.025 <= found(0, 600) <= 0.075
    power = [found(better, 100) for better in (0.0, 0.4, 0.8)]
    assert power == sorted(power)
    assert power[-1] > 0.8
