from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest, norm
from scipy.stats import t as student

from ltbench.analysis.stats.accuracy_interval import crossed_interval
from ltbench.analysis.stats.strata import Strata
from tests.analysis.stats.simulate import strata

SIZES = np.array([40, 30, 20, 15, 10, 5])
CAUSES = {"images": (0.0, 0.5), "seeds and images": (0.1, 0.5), "chance": (0.0, 1.0)}


def one_class(images: int) -> Strata:
    return Strata.from_labels(np.zeros(images, int), {"all": np.array([True])})


def missed(
    easy: float, seeds: int, cause: str, repeats: int, sizes: NDArray[np.int64] = SIZES
) -> tuple[float, float, float]:
    """Returns the true accuracy, and the shares of intervals below and above it."""
    random, layers = np.random.default_rng(4), strata(sizes)
    of_seeds, of_both = CAUSES[cause]
    classes = easy + np.linspace(0.5, -0.5, len(sizes))
    chances = norm.cdf(classes / math.sqrt(1 + of_seeds**2 + of_both**2))
    true = float(chances @ layers.weights["accuracy"])
    below = above = 0
    for _ in range(repeats):
        margins = np.repeat(classes, sizes) + random.normal(size=sizes.sum())
        margins = margins + of_seeds * random.normal(size=(seeds, 1))
        margins = margins + of_both * random.normal(size=(seeds, len(margins[0])))
        each = crossed_interval(margins > 0, layers)["accuracy"]
        below += each.high < true
        above += each.low > true
    return true, below / repeats, above / repeats


@pytest.mark.parametrize("seeds", [1, 5])
@pytest.mark.parametrize(("easy", "accuracy"), [(0.8, 0.81), (2.5, 0.99)])
def test_intervals_hold_the_truth_95_times_in_100(easy: float, accuracy: float, seeds: int) -> None:
    true, below, above = missed(easy, seeds, "images", 300)
    assert true == pytest.approx(accuracy, abs=0.01)
    assert below + above <= 0.09


@pytest.mark.slow
@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("easy", [-1.0, 0.0, 0.8, 1.8, 2.5, 3.5])
@pytest.mark.parametrize("seeds", [1, 2, 3, 5, 10])
def test_intervals_hold_the_truth_95_times_in_100_closely(
    easy: float, seeds: int, cause: str
) -> None:
    """At 99 % of 120 images, one image is wrong: covered 88 times or more (error: 0.0063)."""
    if seeds == 1 and cause == "seeds and images":
        pytest.skip("one seed tells nothing of others")
    true, below, above = missed(easy, seeds, cause, 1200)
    assert below + above <= (0.07 if true < 0.98 else 0.12)


def test_of_one_seed_and_one_class_it_is_the_binomial_interval_but_for_the_freedom() -> None:
    """Variance p (1 - p) / (n - 1), t with n - 1 degrees of freedom."""
    right = np.arange(2000) < 1500
    found = crossed_interval(right[None], one_class(2000))["accuracy"]
    exact = binomtest(1500, 2000).proportion_ci(0.95, method="exact")
    assert (found.mean, found.seed_sd) == (0.75, None)
    assert [found.low, found.high] == pytest.approx([exact.low, exact.high], abs=1e-4)


def test_of_many_images_it_is_the_mean_and_t_errors() -> None:
    """Two seeds correct on the same images except a few, worked out by hand.

    Of 10,000 images 6,000 are right with both seeds, 120 with the first alone, 80 with the second.
    Seeds: 0.612 and 0.608, error 0.002. Images: mean square 2 x var(image means); both together:
    half the variance of the differences.
    """
    right = np.zeros((2, 10_000), bool)
    right[:, :6000] = True
    right[0, 6000:6120] = True
    right[1, 6120:6200] = True
    means = right.mean(axis=0)
    both = np.var(right[0].astype(float) - right[1], ddof=1) / 2
    images = (2 * means.var(ddof=1) - both) / 20_000
    error = math.sqrt(0.002**2 + images)
    freedom = error**4 / 0.002**4
    found = crossed_interval(right, one_class(10_000), level=0.9)["accuracy"]
    assert found.mean == pytest.approx(0.61)
    assert found.seed_sd == pytest.approx(0.004 / math.sqrt(2))
    reach = student.ppf(0.95, freedom) * error
    assert [found.low, found.high] == pytest.approx([0.61 - reach, 0.61 + reach], abs=3e-4)


def test_all_right_and_all_wrong_are_not_certain() -> None:
    right = np.ones((3, 120), bool)
    found = crossed_interval(right, strata(SIZES))
    for each in found.values():
        assert (each.mean, each.high, each.seed_sd) == (pytest.approx(1), 1, 0)
    assert found["accuracy"].low == pytest.approx(0.025 ** (1 / 120))
    assert found["mean_class"].low < found["accuracy"].low  # fewer images decide
    wrong = crossed_interval(~right, one_class(120))["accuracy"]
    assert (wrong.low, wrong.high) == (0, pytest.approx(1 - 0.025 ** (1 / 120)))


def test_classes_of_which_each_is_all_right_or_all_wrong_are_not_certain_either() -> None:
    right = np.repeat([[True, False]], 20, axis=1)
    layers = Strata.from_labels(np.repeat([0, 1], 20), {"all": np.array([True, True])})
    found = crossed_interval(right, layers)["accuracy"]
    exact = binomtest(20, 40).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == (pytest.approx(exact.low), pytest.approx(exact.high))


def test_a_higher_level_is_a_wider_interval_within_0_and_1() -> None:
    right = np.random.default_rng(0).random((3, 120)) < 0.97
    narrow, wide = (crossed_interval(right, strata(SIZES), level=level) for level in (0.8, 0.99))
    for name, each in wide.items():
        assert 0 <= each.low < narrow[name].low < each.mean < narrow[name].high < each.high <= 1
