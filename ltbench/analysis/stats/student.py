"""Student's t distribution with integer degrees of freedom, fast for large arrays."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def student_cdf(values: NDArray[np.float64], freedom: int) -> NDArray[np.float64]:
    """Returns the cumulative distribution function (Abramowitz and Stegun, 26.7.3 and 26.7.4).

    About 20 times as fast as `scipy.special.stdtr`, which allows non-integer degrees of freedom.
    The absolute error is below 1e-14; the relative error of very small values may be larger.

    Args:
        values: (...) quantiles.
        freedom: Degrees of freedom, 1 or more.
    """
    # Sine and squared cosine of the angle whose tangent is t / sqrt(freedom).
    squares = freedom + values**2
    sine, cosine2 = values / np.sqrt(squares), freedom / squares
    series = np.ones_like(values)
    for term in range(freedom - 2, 1, -2):
        series *= cosine2 * ((term - 1) / term)
        series += 1
    if freedom % 2 == 0:
        return 0.5 + 0.5 * sine * series
    angle = np.arctan(values / math.sqrt(freedom))
    if freedom > 1:
        angle += sine * np.sqrt(cosine2) * series
    return 0.5 + angle / math.pi
