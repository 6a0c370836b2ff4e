"""Randomisation test of a difference of weighted accuracies on the same images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.bounds import Bounds
from ltbench.analysis.stats.strata import Strata

_EXACT = 1_000_000  # largest number of outcomes that are enumerated
_BLOCK = 2_000_000
_DRAWS = 10_000_000  # numbers that are drawn for a test: some seconds
_FEWEST = 9_999  # resamples, however many different sizes there are
_SAME = 1e-9  # relative: sums of the same terms in another order are the same


@dataclass(frozen=True)
class Randomisation:
    """A two-sided p value.

    Args:
        p: Share of the sign flips with a difference at least as large as the one found.
        exact: Whether all flips were taken into account, or a random sample of them.
        reach: Largest difference that the test, at its level, would not find.
    """

    p: float
    exact: bool
    reach: float

    def hidden(self, difference: float) -> Bounds:
        """Returns what the interval must hold because of this test.

        A bootstrap does not cover images that were not seen: of four that differ, all in favour of
        one model, it makes an interval without 0, though p is 0.125. Where the test finds no
        difference, the interval holds all that it would not find.

        Args:
            difference: Difference of the two accuracies, as a share.
        """
        if abs(difference) > self.reach * (1 + _SAME):
            return Bounds(difference, difference)
        return Bounds(difference - self.reach, difference + self.reach)


def randomisation(
    differences: NDArray[np.integer[Any]],
    strata: Strata,
    *,
    level: float = 0.95,
    resamples: int = 99_999,
    seed: int = 0,
) -> dict[str, Randomisation]:
    """Tests each mean for a difference (Noreen, 1989; approximate randomisation).

    If the models are interchangeable, each image's difference is as likely to have the other sign.
    All images of the same weight flip as one binomial draw, so that no image is touched. On a
    test set with as many images of each class that is McNemar's exact test on the images concerned;
    with few different weights all outcomes are enumerated; else they are sampled, and
    p = (1 + as large) / (1 + resamples), which never is too small.

    Args:
        differences: (N,) first model's rightness minus the second's, or its sum over seeds.
        strata: The images' strata and the means.
        level: Of confidence, for `Randomisation.reach`.
        resamples: Flips sampled where they cannot be enumerated; down to 9,999 of them where images
            have more than a hundred different weights.
        seed: Of the sampling.
    """
    apart = differences != 0
    found, where = differences[apart].astype(float), strata.of_image[apart]
    tests = {}
    for name, weights in strata.weights.items():
        each = weights[where] / strata.sizes[where] * found
        unit = np.abs(each).max(initial=0)
        if unit == 0:
            tests[name] = Randomisation(1.0, exact=True, reach=0.0)
            continue
        sizes = np.round(np.abs(each[each != 0]) / unit, 12)
        kinds, numbers = np.unique(sizes, return_counts=True)
        affordable = max(_FEWEST, _DRAWS // len(kinds))
        sums, chances = _flips(kinds, numbers, min(resamples, affordable), seed)
        tests[name] = _test(abs(float(each.sum() / unit)), sums, chances, level, float(unit))
    return tests


def _flips(
    kinds: NDArray[np.float64], numbers: NDArray[np.int64], resamples: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Returns sizes of the sum under sign flips, with their chances, or a sample of them."""
    if np.log1p(numbers).sum() <= math.log(_EXACT):
        from scipy.stats import binom

        sums, chances = np.zeros(1), np.ones(1)
        for kind, number in zip(kinds, numbers, strict=True):
            heads = np.arange(number + 1)
            sums = np.add.outer(sums, kind * (2 * heads - number)).ravel()
            chances = np.multiply.outer(chances, binom.pmf(heads, number, 0.5)).ravel()
        return np.abs(sums), chances
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK // len(numbers))
    drawn = [
        (2 * generator.binomial(numbers, 0.5, (min(block, resamples - start), len(numbers))))
        @ kinds
        - numbers @ kinds
        for start in range(0, resamples, block)
    ]
    return np.abs(np.concatenate(drawn)), None


def _test(
    found: float,
    sums: NDArray[np.float64],
    chances: NDArray[np.float64] | None,
    level: float,
    unit: float,
) -> Randomisation:
    order = np.argsort(sums)[::-1]
    sums = sums[order]
    tails = (
        np.arange(2, len(sums) + 2) / (1 + len(sums))
        if chances is None
        else np.cumsum(chances[order])
    )
    # Of equal sums, which rounding may have set apart, the tail is that of the last.
    as_large = np.searchsorted(-sums, -(found * (1 - _SAME) - 1e-12), side="right")
    least = 1 / (1 + len(sums)) if chances is None else 0.0
    p = min(1.0, float(tails[as_large - 1])) if as_large else least
    beyond = int(np.searchsorted(tails, 1 - level))
    reach = float(sums[min(beyond, len(sums) - 1)])
    if p >= 1 - level:
        reach = max(reach, found)
    return Randomisation(p, chances is not None, reach * unit)
