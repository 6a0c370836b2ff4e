"""Effect sizes: magnitude of a difference, independent of its significance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class OddsRatio:
    """Odds that the first model is the correct one on an image where exactly one model is correct.

    Args:
        ratio: Conditional odds ratio; infinite where only the first model is ever correct alone,
            None where the models differ on no image.
        low: Lower bound of the interval.
        high: Upper bound of the interval; may be infinite.
    """

    ratio: float | None
    low: float
    high: float


def odds_ratio(only_first: int, only_second: int, level: float = 0.95) -> OddsRatio:
    """Returns the odds ratio for paired images, with an exact interval.

    The share of the first model among the images on which the models differ is binomial. The
    interval of Clopper and Pearson (1934) of this share is transformed to odds.

    Args:
        only_first: Number of images that only the first model recognises.
        only_second: Number of images that only the second model recognises.
        level: Coverage of the interval, 0 to 1.
    """
    from scipy.stats import binomtest

    n = only_first + only_second
    if not n:
        return OddsRatio(None, 0.0, math.inf)
    share = binomtest(only_first, n).proportion_ci(level, method="exact")
    return OddsRatio(
        _odds_of_share(only_first / n),
        _odds_of_share(float(share.low)),
        _odds_of_share(float(share.high)),
    )


def _odds_of_share(share: float) -> float:
    return math.inf if share == 1 else share / (1 - share)


def cohens_dz(differences: NDArray[np.float64]) -> float | None:
    """Returns the mean difference in standard deviations of the differences (Cohen, 1988).

    Args:
        differences: (n,) differences, one per seed; n is 2 or more.

    Returns:
        d_z; None where all differences are equal, because their standard deviation is 0.
    """
    deviation = float(differences.std(ddof=1))
    return None if deviation < 1e-9 else float(differences.mean()) / deviation


def rank_biserial(differences: NDArray[np.float64]) -> float:
    """Returns the matched-pairs rank-biserial correlation, -1 to 1 (Kerby, 2014).

    It is the share of the ranks in favour of the first minus the share in favour of the second,
    the quantity that Wilcoxon's signed-rank test tests.

    Args:
        differences: (n,) differences, one per seed; zeros are ignored.
    """
    from scipy.stats import rankdata

    kept = np.round(differences[np.abs(differences) > 1e-9], 9)
    if not len(kept):
        return 0.0
    ranks = rankdata(np.abs(kept))
    return float((np.sign(kept) * ranks).sum() / ranks.sum())
