"""Tests across seeds: each seed gives one difference, and images are not looked at."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ENUMERATED = 12  # differences: 4096 choices of signs
_ROUNDING = 1e-9  # differences, in percent points, that are none


@dataclass(frozen=True)
class PairedT:
    """Student's paired t test.

    Args:
        mean: Mean difference.
        deviation: Standard deviation of the differences.
        t: Statistic; None where all differences are equal: there is no spread to set them against.
        p: Two-sided; None likewise, unless all are zero.
        freedom: Degrees of freedom.
    """

    mean: float
    deviation: float
    t: float | None
    p: float | None
    freedom: int


@dataclass(frozen=True)
class SignedRank:
    """Wilcoxon's signed-rank test.

    Args:
        statistic: Smaller of the two sums of ranks.
        p: Two-sided.
        used: Differences that are not zero; the test leaves the others out.
    """

    statistic: float
    p: float
    used: int


def least_p(n: int) -> float:
    """Returns the smallest p value that Wilcoxon's test can have with n differences, none of 0.

    >>> least_p(5)
    0.0625
    """
    return 2.0 ** (1 - n)


def paired_t(differences: NDArray[np.float64]) -> PairedT:
    """Tests the mean difference (Student, 1908), assuming normal differences.

    Args:
        differences: (n,) one a seed.

    Raises:
        ValueError: There are fewer than two.
    """
    from scipy.special import stdtr

    n = len(differences)
    if n < 2:
        raise ValueError("a paired t test needs two differences")
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    if deviation < _ROUNDING:
        return PairedT(mean, 0.0, None, 1.0 if abs(mean) < _ROUNDING else None, n - 1)
    t = mean / (deviation / math.sqrt(n))
    return PairedT(mean, deviation, t, float(2 * stdtr(n - 1, -abs(t))), n - 1)


def signed_rank(differences: NDArray[np.float64]) -> SignedRank:
    """Tests whether differences are as often and as far above zero as below (Wilcoxon, 1945).

    Exact without ties up to 50 differences, with ties up to 12. How small p can be: `least_p`.

    Args:
        differences: (n,) one a seed or a data set.
    """
    from scipy.stats import wilcoxon

    kept = differences[np.abs(differences) > _ROUNDING]
    n = len(kept)
    if not n:
        return SignedRank(0.0, 1.0, 0)
    rounded = np.round(kept, 9)  # ties are ties, whatever the last bit says
    tied = len(np.unique(np.abs(rounded))) < n
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # older scipy: "sample size too small"
        if tied and n <= _ENUMERATED:
            statistic, p = _all_signs(rounded)
        else:
            found = wilcoxon(rounded, method="approx" if tied or n > 50 else "exact")
            statistic, p = float(found.statistic), float(found.pvalue)
    return SignedRank(statistic, p, n)


def _all_signs(differences: NDArray[np.float64]) -> tuple[float, float]:
    """Exact with ties: average ranks, under every choice of signs."""
    from scipy.stats import rankdata

    ranks = rankdata(np.abs(differences))
    n = len(ranks)
    signs = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    above = signs @ ranks
    found, middle = float(ranks[differences > 0].sum()), float(ranks.sum()) / 2
    p = float((np.abs(above - middle) >= abs(found - middle) - 1e-9).mean())
    return min(found, float(ranks.sum()) - found), p
