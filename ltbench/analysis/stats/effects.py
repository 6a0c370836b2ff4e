"""How large a difference is, apart from how sure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class OddsRatio:
    """Odds that of two models the first is the one that is right, where one is.

    Args:
        ratio: Conditional odds ratio; infinite where the second never is alone right, None where
            they never differ.
        low: Lower bound of its interval.
        high: Upper bound, maybe infinite.
    """

    ratio: float | None
    low: float
    high: float


def odds_ratio(only_first: int, only_second: int, level: float = 0.95) -> OddsRatio:
    """Returns the odds ratio for paired images, with an exact interval.

    The share of the first among the images on which they differ is binomial; Clopper and Pearson's
    interval of the share (1934) is one of the odds.

    Args:
        only_first: Images that only the first model has right.
        only_second: Images that only the second has right.
        level: Coverage.
    """
    from scipy.stats import binomtest

    n = only_first + only_second
    if not n:
        return OddsRatio(None, 0.0, math.inf)
    share = binomtest(only_first, n).proportion_ci(level, method="exact")
    return OddsRatio(_odds(only_first / n), _odds(float(share.low)), _odds(float(share.high)))


def _odds(share: float) -> float:
    return math.inf if share == 1 else share / (1 - share)


def cohens_dz(differences: NDArray[np.float64]) -> float | None:
    """Returns the mean difference in standard deviations of the differences (Cohen, 1988).

    Args:
        differences: (n,) one a seed, n at least 2.

    Returns:
        None where all differences are equal: there is no unit.
    """
    deviation = float(differences.std(ddof=1))
    return None if deviation < 1e-9 else float(differences.mean()) / deviation


def rank_biserial(differences: NDArray[np.float64]) -> float:
    """Returns the matched-pairs rank-biserial correlation, -1 to 1 (Kerby, 2014).

    It is the share of the ranks that speak for the first less that for the second: what Wilcoxon's
    signed-rank test is a test of.

    Args:
        differences: (n,) one a seed; zeros are left out.
    """
    from scipy.stats import rankdata

    kept = np.round(differences[np.abs(differences) > 1e-9], 9)
    if not len(kept):
        return 0.0
    ranks = rankdata(np.abs(kept))
    return float((np.sign(kept) * ranks).sum() / ranks.sum())
