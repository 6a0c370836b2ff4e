"""Randomisation test of a difference of weighted accuracies on the same images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.bounds import Bounds
from ltbench.analysis.stats.strata import Strata

_MAX_ENUMERATED_OUTCOMES = 1_000_000  # with more, outcomes are sampled
_MAX_BLOCK_DRAWS = 2_000_000  # binomial numbers drawn at a time: 16 MB
_MAX_DRAWS = 10_000_000  # binomial numbers drawn for a test: some seconds
_MIN_RESAMPLES = 9_999  # for any number of different weights
_SUM_TOLERANCE = 1e-9  # relative difference of sums of the same terms in another order


@dataclass(frozen=True)
class RandomisationTest:
    """Result of a randomisation test.

    Args:
        p: Two-sided p value: share of the sign flips with a difference at least as large as the
            measured one.
        exact: Whether all flips were enumerated, not sampled.
        max_undetected: Largest difference that is not significant at the level of the test, as a
            share.
    """

    p: float
    exact: bool
    max_undetected: float

    def undetected_bounds(self, difference: float) -> Bounds:
        """Returns the bounds that an interval must contain to agree with this test.

        A bootstrap underestimates the variation of few images: from four images that differ, all in
        favour of one model, it computes an interval without 0, though p is 0.125. Where the test is
        not significant, these bounds extend the interval by the largest undetected difference.

        Args:
            difference: Difference of the two accuracies, as a share.
        """
        if abs(difference) > self.max_undetected * (1 + _SUM_TOLERANCE):
            return Bounds(difference, difference)
        return Bounds(difference - self.max_undetected, difference + self.max_undetected)


def randomisation_test(
    differences: NDArray[np.integer[Any]],
    strata: Strata,
    *,
    level: float = 0.95,
    resamples: int = 99_999,
    seed: int = 0,
) -> dict[str, RandomisationTest]:
    """Tests each mean for a difference by sign flips (Noreen, 1989; approximate randomisation).

    If the models are interchangeable, the difference on each image is equally likely to have the
    other sign. The flips of all images with the same weight are one binomial draw, without a loop
    over images. On a test set with equally many images of each class, this is McNemar's exact test
    on the images of the classes in the mean. With few different weights all outcomes are
    enumerated. Otherwise they are sampled, and p = (1 + as large) / (1 + resamples), which is never
    too small.

    Args:
        differences: (N,) values of the images: 1 where only the first model is correct, -1 where
            only the second is, 0 where they agree; or their sums over seeds.
        strata: Strata of the images, and weights of the means.
        level: Confidence level of `RandomisationTest.max_undetected`, 0 to 1.
        resamples: Number of sampled flips where outcomes are not enumerated; reduced to 9,999 or
            more where images have more than a hundred different weights.
        seed: Seed of the sampling.
    """
    apart = differences != 0
    found, where = differences[apart].astype(float), strata.image_strata[apart]
    tests = {}
    for name, weights in strata.weights.items():
        each = weights[where] / strata.sizes[where] * found
        unit = np.abs(each).max(initial=0)
        if unit == 0:
            tests[name] = RandomisationTest(1.0, exact=True, max_undetected=0.0)
            continue
        sizes = np.round(np.abs(each[each != 0]) / unit, 12)
        kinds, numbers = np.unique(sizes, return_counts=True)
        affordable = max(_MIN_RESAMPLES, _MAX_DRAWS // len(kinds))
        sums, chances = _sign_flip_sums(kinds, numbers, min(resamples, affordable), seed)
        tests[name] = _compare_with_flips(
            abs(float(each.sum() / unit)), sums, chances, level, float(unit)
        )
    return tests


def _sign_flip_sums(
    kinds: NDArray[np.float64], numbers: NDArray[np.int64], resamples: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Returns absolute sums under sign flips with their probabilities, or a sample and None."""
    if np.log1p(numbers).sum() <= math.log(_MAX_ENUMERATED_OUTCOMES):
        from scipy.stats import binom

        sums, chances = np.zeros(1), np.ones(1)
        for kind, number in zip(kinds, numbers, strict=True):
            heads = np.arange(number + 1)
            sums = np.add.outer(sums, kind * (2 * heads - number)).ravel()
            chances = np.multiply.outer(chances, binom.pmf(heads, number, 0.5)).ravel()
        return np.abs(sums), chances
    generator = np.random.default_rng(seed)
    block = max(1, _MAX_BLOCK_DRAWS // len(numbers))
    drawn = [
        (2 * generator.binomial(numbers, 0.5, (min(block, resamples - start), len(numbers))))
        @ kinds
        - numbers @ kinds
        for start in range(0, resamples, block)
    ]
    return np.abs(np.concatenate(drawn)), None


def _compare_with_flips(
    found: float,
    sums: NDArray[np.float64],
    chances: NDArray[np.float64] | None,
    level: float,
    unit: float,
) -> RandomisationTest:
    if chances is None:  # sorting takes a tenth of the time of `argsort`
        sums = np.sort(sums)[::-1]
        tails = np.arange(2, len(sums) + 2) / (1 + len(sums))
    else:
        order = np.argsort(sums)[::-1]
        sums, tails = sums[order], np.cumsum(chances[order])
    # Equal sums may differ by rounding: the tail probability is that of the last of them.
    as_large = np.searchsorted(-sums, -(found * (1 - _SUM_TOLERANCE) - 1e-12), side="right")
    least = 1 / (1 + len(sums)) if chances is None else 0.0
    p = min(1.0, float(tails[as_large - 1])) if as_large else least
    beyond = int(np.searchsorted(tails, 1 - level))
    reach = float(sums[min(beyond, len(sums) - 1)])
    if p >= 1 - level:
        reach = max(reach, found)
    return RandomisationTest(p, chances is not None, reach * unit)
