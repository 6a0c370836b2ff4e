"""Bounds of the interval of a difference that agree with its p value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.strata import Strata


@dataclass(frozen=True)
class Bounds:
    """An interval of a difference, as shares.

    Args:
        low: Lower bound.
        high: Upper bound.
    """

    low: float
    high: float

    def holding(self, other: Bounds) -> Bounds:
        """Returns the smallest interval that holds both."""
        return Bounds(min(self.low, other.low), max(self.high, other.high))

    def agreeing(self, difference: float, p: float, level: float) -> Bounds:
        """Returns an interval within -1 and 1 that excludes 0 exactly where p < 1 - level.

        Args:
            difference: Difference of the two accuracies, as a share.
            p: Its p value, not corrected.
            level: Coverage of the interval.
        """
        low, high = agreeing_bounds(
            np.array(self.low), np.array(self.high), np.array(difference), np.array(p), level
        )
        return Bounds(float(low), float(high))


def agreeing_bounds(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    difference: NDArray[np.float64],
    p: NDArray[np.float64],
    level: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns intervals within -1 and 1 that exclude 0 exactly where p < 1 - level.

    A bound and a p value come from the same distribution by different sums, and rounding may leave
    a bound of 7e-16 beside a p value of 0.06. The p value decides on which side of 0 the bound
    lies.

    Args:
        low: (...) lower bounds, as shares.
        high: (...) upper bounds.
        difference: (...) differences of two accuracies.
        p: (...) p values.
        level: Coverage of the intervals.
    """
    least = float(np.finfo(float).tiny)
    low, high = np.maximum(low, -1.0), np.minimum(high, 1.0)
    found, above = p < 1 - level, difference > 0
    low = np.where(found, np.where(above, np.maximum(low, least), low), np.minimum(low, 0.0))
    high = np.where(found, np.where(above, high, np.minimum(high, -least)), np.maximum(high, 0.0))
    return low, high


def bounds_without_spread(
    difference: float, weights: NDArray[np.float64], sizes: NDArray[np.int64], level: float
) -> Bounds:
    """Returns the interval of a difference where no image of a stratum differs from another.

    Resamples of such images are all the same, which makes them no more certain. The share of the
    first model among right answers, (1 + difference) / 2, gets the interval of Clopper and Pearson
    (1934) for as many images as there are. Of n images that are all only the first model's, the
    lower bound is 2 * 0.025 ^ (1 / n) - 1: above 0 exactly where the sign test finds a difference.

    Args:
        difference: Difference of the two accuracies, as a share.
        weights: (K,) weights of the strata in the mean, summing to 1.
        sizes: (K,) images of each stratum.
        level: Coverage.
    """
    # A mean of unequal weights varies as that of so many images of the same weight (Kish, 1965).
    images = float(1 / (weights**2 / np.maximum(sizes, 1)).sum())
    low, high = clopper_pearson((1 + difference) / 2, images, level)
    return Bounds(2 * low - 1, 2 * high - 1)


def clopper_pearson(share: float, n: float, level: float) -> tuple[float, float]:
    """Returns the exact interval of a share (Clopper and Pearson, 1934).

    Args:
        share: Share of the images that are right, 0 to 1.
        n: Independent images; need not be whole.
        level: Coverage.
    """
    from scipy.special import betaincinv

    tail, right, wrong = (1 - level) / 2, share * n, (1 - share) * n
    low = float(betaincinv(right, wrong + 1, tail)) if right > _ROUNDING else 0.0
    high = float(betaincinv(right + 1, wrong, 1 - tail)) if wrong > _ROUNDING else 1.0
    return low, high


_ROUNDING = 1e-9  # images that are none


def has_no_spread(values: NDArray[np.float64], strata: Strata) -> NDArray[np.bool_]:
    """Returns for each mean whether the images of every stratum have one value, (M,).

    Args:
        values: (N,) of the images.
        strata: Strata of the images, and the means.
    """
    sizes = np.maximum(strata.sizes, 1)
    squares = strata.sums(values**2) / sizes - (strata.sums(values) / sizes) ** 2
    varied: NDArray[np.bool_] = (squares > _ROUNDING) @ (strata.matrix > 0)
    return ~varied
