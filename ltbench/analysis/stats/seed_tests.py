"""Tests across seeds: one difference per seed, independent of single images."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MAX_ENUMERATED_DIFFERENCES = 12  # 4096 combinations of signs
_MIN_DIFFERENCE = 1e-9  # percent points; smaller differences are rounding errors, and count as 0


@dataclass(frozen=True)
class PairedT:
    """Result of Student's paired t test.

    Args:
        mean: Mean difference.
        deviation: Standard deviation of the differences.
        t: t statistic; None where all differences are equal, because their standard deviation is 0.
        p: Two-sided p value; where all differences are equal, 1 if they are 0 and None otherwise.
        freedom: Degrees of freedom.
    """

    mean: float
    deviation: float
    t: float | None
    p: float | None
    freedom: int


@dataclass(frozen=True)
class SignedRank:
    """Result of Wilcoxon's signed-rank test.

    Args:
        statistic: Smaller of the two rank sums.
        p: Two-sided p value.
        used: Number of differences that are not 0; the test ignores the others.
    """

    statistic: float
    p: float
    used: int


def min_signed_rank_p(n: int) -> float:
    """Returns the smallest possible p value of Wilcoxon's test with n differences other than 0.

    >>> min_signed_rank_p(5)
    0.0625
    """
    return 2.0 ** (1 - n)


def paired_t(differences: NDArray[np.float64]) -> PairedT:
    """Tests whether the mean difference is 0 (Student, 1908), assuming normal differences.

    Args:
        differences: (n,) differences, one per seed.

    Raises:
        ValueError: There are fewer than two differences.
    """
    from scipy.special import stdtr

    n = len(differences)
    if n < 2:
        raise ValueError("paired t test: expected two differences or more")
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    if deviation < _MIN_DIFFERENCE:
        return PairedT(mean, 0.0, None, 1.0 if abs(mean) < _MIN_DIFFERENCE else None, n - 1)
    t = mean / (deviation / math.sqrt(n))
    return PairedT(mean, deviation, t, float(2 * stdtr(n - 1, -abs(t))), n - 1)


def signed_rank(differences: NDArray[np.float64]) -> SignedRank:
    """Tests whether differences are symmetric around 0 (Wilcoxon, 1945).

    P values are exact up to 50 differences without ties, and up to 12 with ties. Their smallest
    possible value is `min_signed_rank_p`.

    Args:
        differences: (n,) differences, one per seed or data set.
    """
    from scipy.stats import wilcoxon

    kept = differences[np.abs(differences) > _MIN_DIFFERENCE]
    n = len(kept)
    if not n:
        return SignedRank(0.0, 1.0, 0)
    rounded = np.round(kept, 9)  # differences that are equal up to rounding are ties
    tied = len(np.unique(np.abs(rounded))) < n
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # older scipy warns of small samples
        if tied and n <= _MAX_ENUMERATED_DIFFERENCES:
            statistic, p = _enumerate_signs(rounded)
        else:
            found = wilcoxon(rounded, method="approx" if tied or n > 50 else "exact")
            statistic, p = float(found.statistic), float(found.pvalue)
    return SignedRank(statistic, p, n)


def _enumerate_signs(differences: NDArray[np.float64]) -> tuple[float, float]:
    """Returns statistic and exact p value with average ranks for ties, by all sign combinations."""
    from scipy.stats import rankdata

    ranks = rankdata(np.abs(differences))
    n = len(ranks)
    signs = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    above = signs @ ranks
    found, middle = float(ranks[differences > 0].sum()), float(ranks.sum()) / 2
    p = float((np.abs(above - middle) >= abs(found - middle) - 1e-9).mean())
    return min(found, float(ranks.sum()) - found), p
