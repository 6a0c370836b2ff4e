"""Interval bounds of a difference, made consistent with its p value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.strata import Strata

_MIN_IMAGES = 1e-9  # fewer images are a rounding error, and count as 0
_MIN_VALUE_VARIANCE = 1e-9  # a smaller variance of an image's values counts as 0


@dataclass(frozen=True)
class Bounds:
    """Interval of a difference, as shares.

    Args:
        low: Lower bound.
        high: Upper bound.
    """

    low: float
    high: float

    def enclose(self, other: Bounds) -> Bounds:
        """Returns the smallest interval that contains both."""
        return Bounds(min(self.low, other.low), max(self.high, other.high))

    def align_with_p(self, difference: float, p: float, level: float) -> Bounds:
        """Returns an interval within -1 and 1 that excludes 0 exactly where p < 1 - level.

        Args:
            difference: Difference of the two accuracies, as a share.
            p: Uncorrected p value of the difference.
            level: Coverage of the interval, 0 to 1.
        """
        low, high = align_bounds_with_p(
            np.array(self.low), np.array(self.high), np.array(difference), np.array(p), level
        )
        return Bounds(float(low), float(high))


def align_bounds_with_p(
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
        high: (...) upper bounds, as shares.
        difference: (...) differences of two accuracies, as shares.
        p: (...) uncorrected p values.
        level: Coverage of the intervals, 0 to 1.
    """
    tiny = float(np.finfo(float).tiny)
    low, high = np.maximum(low, -1.0), np.minimum(high, 1.0)
    found, above = p < 1 - level, difference > 0
    low = np.where(found, np.where(above, np.maximum(low, tiny), low), np.minimum(low, 0.0))
    high = np.where(found, np.where(above, high, np.minimum(high, -tiny)), np.maximum(high, 0.0))
    return low, high


def bounds_without_spread(
    difference: float, weights: NDArray[np.float64], sizes: NDArray[np.int64], level: float
) -> Bounds:
    """Returns the interval of a difference where all images of each stratum have the same value.

    All resamples of such images are equal, so a bootstrap would return an interval of width 0. The
    share of the first model among correct answers, (1 + difference) / 2, gets the interval of
    Clopper and Pearson (1934) for this number of images. For n images that only the first model
    recognises, the lower bound is 2 * 0.025 ^ (1 / n) - 1: above 0 exactly where the sign test
    finds a difference.

    Args:
        difference: Difference of the two accuracies, as a share.
        weights: (K,) weights of the strata in the mean; they sum to 1.
        sizes: (K,) number of images of each stratum.
        level: Coverage of the interval, 0 to 1.
    """
    # Effective sample size of a mean with unequal weights (Kish, 1965).
    images = float(1 / (weights**2 / np.maximum(sizes, 1)).sum())
    low, high = clopper_pearson((1 + difference) / 2, images, level)
    return Bounds(2 * low - 1, 2 * high - 1)


def clopper_pearson(share: float, n: float, level: float) -> tuple[float, float]:
    """Returns the exact interval of a share (Clopper and Pearson, 1934).

    Args:
        share: Share of correct images, 0 to 1.
        n: Number of independent images; need not be an integer.
        level: Coverage of the interval, 0 to 1.
    """
    low, high = clopper_pearson_bounds(np.array(share), np.array(n), level)
    return float(low), float(high)


def clopper_pearson_bounds(
    shares: NDArray[np.float64], n: NDArray[np.float64] | NDArray[np.int64], level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the exact intervals of shares, each as `clopper_pearson` does.

    Args:
        shares: (...) shares of correct images, 0 to 1; NaN gives NaN.
        n: (...) numbers of independent images; need not be integers.
        level: Coverage of the intervals, 0 to 1.
    """
    from scipy.special import betaincinv

    tail, right, wrong = (1 - level) / 2, shares * n, (1 - shares) * n
    low = np.where(right > _MIN_IMAGES, betaincinv(right, wrong + 1, tail), 0.0)
    high = np.where(wrong > _MIN_IMAGES, betaincinv(right + 1, wrong, 1 - tail), 1.0)
    unknown = np.isnan(shares)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def has_no_spread(values: NDArray[np.float64], strata: Strata) -> NDArray[np.bool_]:
    """Returns, for each mean, whether all images of each stratum have the same value, (M,).

    Args:
        values: (N,) values of the images.
        strata: Strata of the images, and weights of the means.
    """
    sizes = np.maximum(strata.sizes, 1)
    squares = strata.sums(values**2) / sizes - (strata.sums(values) / sizes) ** 2
    varied: NDArray[np.bool_] = (squares > _MIN_VALUE_VARIANCE) @ (strata.weight_matrix > 0)
    return ~varied
