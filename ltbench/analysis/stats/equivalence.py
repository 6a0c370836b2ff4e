"""Equivalence: is a difference surely smaller than a margin?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided t tests.

    Args:
        difference: Mean of the values less the target.
        p: The larger of the two one-sided p values: below 1 - level, values and target are
            equivalent.
        low: Lower bound of the interval of the difference at 2 level - 1: equivalent just where
            it lies within the margin.
        high: Upper bound.
    """

    difference: float
    p: float
    low: float
    high: float


def equivalence(
    values: NDArray[np.float64], target: float, margin: float, *, level: float = 0.95
) -> Equivalence:
    """Tests whether the mean of the values is within a margin of a target (Schuirmann, 1987).

    A large p value of a test of difference is no sign of equality; this is.

    Args:
        values: (n,) measured, one a seed; or differences of paired seeds, with target 0.
        target: For example a published number.
        margin: Largest difference that does not matter, in the unit of the values.
        level: Of confidence.

    Raises:
        ValueError: There are fewer than two values, or the margin is not positive.
    """
    from scipy.stats import t as student

    n = len(values)
    if n < 2 or not margin > 0:
        raise ValueError("an equivalence test needs two values and a positive margin")
    difference = float(values.mean()) - target
    error, freedom = float(values.std(ddof=1)) / math.sqrt(n), n - 1
    if error < 1e-12:
        p = 0.0 if abs(difference) < margin else 1.0
        return Equivalence(difference, p, difference, difference)
    p = float(student.sf((margin - abs(difference)) / error, freedom))
    reach = float(student.ppf(level, freedom)) * error
    return Equivalence(difference, p, difference - reach, difference + reach)
