from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import stdtr
from scipy.stats import t as student

from ltbench.analysis.stats.hierarchical_bootstrap import hierarchical_bootstrap
from ltbench.analysis.stats.paired_bootstrap import bootstrap_deviations, paired_bootstrap
from ltbench.analysis.stats.strata import Strata
from ltbench.analysis.stats.variance_components import variance_components
from tests.analysis.stats.simulate import World, sampled_flips, strata

SIZES = np.array([40, 30, 20, 20, 10, 5])
CAUSES = {
    "chance": World(),
    "images": World(images=1.0, both=0.3),
    "seeds": World(seeds=0.3, both=0.3),
    "everything": World(images=0.5, seeds=0.1, both=0.5),
}


def share_found(world: World, seeds: int, repeats: int, sizes: NDArray[np.int64] = SIZES) -> float:
    """Returns the share of worlds with a significant difference in mean-class accuracy."""
    random, layers = np.random.default_rng(2), strata(sizes).select(["mean_class"])
    with sampled_flips():
        p = [
            hierarchical_bootstrap(
                world.differences(random, seeds, sizes), layers, resamples=199, flips=199
            )["mean_class"].p
            for _ in range(repeats)
        ]
    return float((np.array(p) < 0.05).mean())


@pytest.mark.full
@pytest.mark.parametrize("cause", CAUSES)
def test_false_positives_are_five_percent(cause: str) -> None:
    assert 0.015 <= share_found(CAUSES[cause], 5, 300) <= 0.088


@pytest.mark.slow
@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_false_positives_are_five_percent_closely(cause: str, seeds: int) -> None:
    """Two and three seeds: five percent at most. Monte Carlo error: 0.0063."""
    found = [share_found(CAUSES[cause], seeds, 1200, sizes) for sizes in (SIZES, np.full(20, 5))]
    assert max(found) <= 0.072
    assert min(found) >= (0 if seeds <= 3 else 0.01)


def single_run_found(better: float, repeats: int, seeds: int = 3) -> tuple[float, float]:
    """Returns shares of worlds where a model without seeds differs, and where intervals miss.

    The margins of both models have the same distribution over images; those of the second vary with
    its seeds too. The difference over all seeds and images is 0 for `better` 0.
    """
    random, layers = np.random.default_rng(7), strata(SIZES).select(["mean_class"])
    n, found = int(SIZES.sum()), []
    with sampled_flips():
        for _ in range(repeats):
            easiness = 0.8 + random.normal(size=n)
            single = easiness + better + random.normal(size=n) > 0
            lucky = 0.2 * random.normal(size=(seeds, 1))
            others = easiness + lucky + np.sqrt(0.96) * random.normal(size=(seeds, n)) > 0
            differences = single.astype(np.int8) - others.astype(np.int8)
            found.append(hierarchical_bootstrap(differences, layers, resamples=199, flips=199))
    tests = [each["mean_class"] for each in found]
    return (
        float(np.mean([one.p < 0.05 for one in tests])),
        float(np.mean([one.low > 0 or one.high < 0 for one in tests])),
    )


@pytest.mark.full
def test_a_model_without_seeds_is_found_to_differ_in_five_percent() -> None:
    """Its one run is compared with every seed of the other: it adds no variance of seeds."""
    significant, missed = single_run_found(0.0, 300)
    assert 0.01 <= significant <= 0.088
    assert missed == significant


def test_a_model_without_seeds_is_found_to_be_better() -> None:
    assert single_run_found(1.5, 60, seeds=5)[0] > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_a_model_without_seeds_is_found_to_differ_in_five_percent_closely(seeds: int) -> None:
    """Two and three seeds: five percent at most. Monte Carlo error: 0.0063."""
    found, _ = single_run_found(0.0, 1200, seeds)
    assert (0 if seeds <= 3 else 0.01) <= found <= 0.072


@pytest.mark.full
def test_power_rises_with_the_difference_and_with_seeds() -> None:
    power = [share_found(World(images=0.3, better=b), 5, 80) for b in (0.0, 0.3, 0.5, 0.8)]
    assert power == sorted(power)
    assert power[-1] > 0.9
    assert share_found(World(better=0.2), 10, 80) > share_found(World(better=0.2), 3, 80)


def test_seeds_drawn_with_replacement_would_vary_too_little() -> None:
    """The usual bootstrap of three seeds, which motivates the t distribution of the seeds."""
    random = np.random.default_rng(0)
    values = random.normal(size=(2000, 3))
    drawn = values[:, random.integers(3, size=(999, 3))].mean(axis=2)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=1)
    assert ((low > 0) | (high < 0)).mean() > 0.2


def test_where_only_seeds_differ_it_is_the_paired_t_test() -> None:
    """All images of a model are correct, or all are wrong: images have no variance."""
    right = np.array([1, 1, 0, 1, 1, 0, 1, 1], np.int8)
    differences = np.repeat((right - (np.arange(8) % 4 == 0)).astype(np.int8)[:, None], 50, axis=1)
    one = Strata.from_labels(np.zeros(50, int), {"all": np.array([True])})
    found = hierarchical_bootstrap(differences, one)["accuracy"]
    by_seed = differences[:, 0].astype(float)
    error = by_seed.std(ddof=1) / math.sqrt(8)
    reach = student.ppf(0.975, 7) * error
    assert found.image_error == 0
    assert (found.seed_error, found.freedom) == (pytest.approx(error), pytest.approx(7))
    assert found.p == pytest.approx(2 * student.sf(by_seed.mean() / error, 7))
    middle = by_seed.mean()
    assert [found.low, found.high] == pytest.approx([middle - reach, middle + reach], abs=1e-5)


@pytest.mark.full
def test_bounds_and_p_are_those_of_the_mixture_of_t_distributions() -> None:
    """Quantiles of the whole mixture, computed on a fine grid."""
    layers = strata(SIZES)
    differences = World(images=0.5, seeds=0.2, better=0.5).differences(
        np.random.default_rng(6), 5, SIZES
    )
    found = hierarchical_bootstrap(differences, layers, resamples=499)["mean_class"]
    spread = variance_components(differences.astype(float), layers)
    m = list(layers.weights).index("mean_class")
    drawn = bootstrap_deviations(differences, layers, resamples=499, seed=0)[:, m]
    drawn *= math.sqrt(spread.image_shares[m])
    grid = np.linspace(found.difference - 0.5, found.difference + 0.5, 20_001)
    centred = (grid[:, None] - found.difference - drawn) / found.seed_error
    chances = stdtr(4, centred).mean(axis=1)
    bounds = np.interp([0.025, 0.975], chances, grid)
    assert [found.low, found.high] == pytest.approx(bounds, abs=2e-6)
    assert found.p == pytest.approx(2 * np.interp(0, grid, chances), abs=1e-6)


def test_where_seeds_agree_it_is_the_paired_bootstrap() -> None:
    one_seed = World(better=0.5).differences(np.random.default_rng(0), 1, SIZES)[0]
    layers = strata(SIZES)
    found = hierarchical_bootstrap(np.stack([one_seed] * 3), layers, resamples=9999)
    for name, expected in paired_bootstrap(one_seed, layers).items():
        assert found[name].seed_error == 0
        assert math.isinf(found[name].freedom)
        bounds = [found[name].low, found[name].high]
        assert bounds == pytest.approx([expected.low, expected.high], abs=0.01)


def test_errors_equal_the_analysis_of_variance() -> None:
    """Mean squares of a crossed two-way layout, by hand."""
    differences = World(0.5, 0.2, 0.5).differences(np.random.default_rng(1), 4, np.array([60]))
    one = Strata.from_labels(np.zeros(60, int), {"all": np.array([True])})
    found = hierarchical_bootstrap(differences, one)["accuracy"]
    d = differences.astype(float)
    of_images = 4 * d.mean(axis=0).var(ddof=1)
    residue = d - d.mean(axis=0) - d.mean(axis=1, keepdims=True) + d.mean()
    of_both = (residue**2).sum() / (3 * 59)
    assert found.seed_error == pytest.approx(d.mean(axis=1).std(ddof=1) / 2)
    assert found.image_error**2 == pytest.approx(max(of_images - of_both, 0) / (4 * 60))
    total = found.error**2
    assert found.freedom == pytest.approx(3 * (total / found.seed_error**2) ** 2)


def test_the_interval_excludes_zero_just_where_p_is_small() -> None:
    random, layers = np.random.default_rng(3), strata(SIZES)
    for better in np.linspace(0, 0.6, 20):
        drawn = World(images=0.3, seeds=0.05, better=better).differences(random, 4, SIZES)
        for level in (0.9, 0.95):
            for each in hierarchical_bootstrap(
                drawn, layers, level=level, resamples=499, flips=499
            ).values():
                assert (each.low > 0 or each.high < 0) == (each.p < 1 - level)


def test_seeds_with_equal_accuracies_by_chance_are_not_taken_for_the_same() -> None:
    differences = np.array([[1, 1, 0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0, 0]], np.int8)
    one = Strata.from_labels(np.zeros(8, int), {"all": np.array([True])})
    assert hierarchical_bootstrap(differences, one)["accuracy"].seed_error > 0


def test_a_handful_of_images_is_no_evidence_however_the_seeds_agree() -> None:
    """Four images, all in favour of the first: p = 2 / 2^4, as for a single seed."""
    differences = np.zeros((3, 125), np.int8)
    differences[:, [3, 50, 80, 110]] = 1
    found = hierarchical_bootstrap(differences, strata(SIZES))["accuracy"]
    assert found.p == pytest.approx(0.125)
    assert found.low <= 0 < found.difference < found.high


def test_models_that_agree_do_not_differ() -> None:
    for each in hierarchical_bootstrap(np.zeros((3, 125), np.int8), strata(SIZES)).values():
        assert (each.low, each.difference, each.high, each.p) == (0, 0, 0, 1)


def test_one_seed_is_too_few() -> None:
    with pytest.raises(ValueError, match="two seeds"):
        hierarchical_bootstrap(np.zeros((1, 125), np.int8), strata(SIZES))
