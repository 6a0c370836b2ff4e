"""Equivalence test: evidence that a difference is smaller than a margin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Equivalence:
    """Result of two one-sided t tests, in the unit of the values.

    Args:
        difference: Mean of the values minus the target.
        p: Larger of the two one-sided p values; below 1 - level, values and target are equivalent.
        low: Lower bound of the interval of the difference at level 2 level - 1. Values and target
            are equivalent exactly where this interval lies within the margin.
        high: Upper bound of the same interval.
    """

    difference: float
    p: float
    low: float
    high: float


def equivalence_test(
    values: NDArray[np.float64], target: float, margin: float, *, level: float = 0.95
) -> Equivalence:
    """Tests whether the mean of the values is within a margin of a target (Schuirmann, 1987).

    A large p value of a test for a difference is no evidence of equality; a small p value of this
    test is.

    Args:
        values: (n,) measured values, one per seed; or differences of paired seeds, with target 0.
        target: Value to compare with, for example a published number.
        margin: Largest irrelevant difference, in the unit of the values.
        level: Confidence level, 0 to 1.

    Raises:
        ValueError: There are fewer than two values, or the margin is not positive.
    """
    from scipy.stats import t as student

    n = len(values)
    if n < 2 or not margin > 0:
        raise ValueError("equivalence test: expected two values or more and a positive margin")
    difference = float(values.mean()) - target
    error, freedom = float(values.std(ddof=1)) / math.sqrt(n), n - 1
    if error < 1e-12:
        p = 0.0 if abs(difference) < margin else 1.0
        return Equivalence(difference, p, difference, difference)
    p = float(student.sf((margin - abs(difference)) / error, freedom))
    reach = float(student.ppf(level, freedom)) * error
    return Equivalence(difference, p, difference - reach, difference + reach)
