"""Power analysis: smallest difference that a comparison detects with a given probability."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def detectable_difference(
    discordance: NDArray[np.float64],
    sizes: NDArray[np.int64],
    weights: NDArray[np.float64],
    *,
    level: float = 0.95,
    power: float = 0.8,
) -> float:
    """Returns the smallest difference that a paired test on these images detects.

    For one stratum this is Connor's formula for McNemar's test (Biometrics, 1987): with the share
    psi of the images on which the models differ, n d^2 = (z_a sqrt(psi) + z_b sqrt(psi - d^2))^2.

    Args:
        discordance: (K,) share of each stratum's images on which the models differ, measured or
            assumed.
        sizes: (K,) number of images of each stratum.
        weights: (K,) weights of the strata in the mean; they sum to 1.
        level: Confidence level of the two-sided test, 0 to 1.
        power: Probability of detecting the difference, 0 to 1.

    Returns:
        Difference as a share; 0 where the models differ on no image.
    """
    from scipy.stats import norm

    squares = weights**2 / np.maximum(sizes, 1)
    spread, each = float(squares @ discordance), float(squares.sum())
    a, b = float(norm.ppf((1 + level) / 2)), float(norm.ppf(power))
    # d = a sqrt(spread) + b sqrt(spread - each d^2), solved for d.
    root = b * math.sqrt(max(spread * (1 + b * b * each - a * a * each), 0.0))
    return (a * math.sqrt(spread) + root) / (1 + b * b * each)


def detectable_difference_from_error(
    error: float, freedom: float, *, level: float = 0.95, power: float = 0.8
) -> float:
    """Returns the smallest difference that a t test with this standard error detects.

    Args:
        error: Standard error of the difference; the result has the same unit.
        freedom: Degrees of freedom of the error; may be infinite.
        level: Confidence level of the two-sided test, 0 to 1.
        power: Probability of detecting the difference, 0 to 1.
    """
    from scipy.special import ndtri, stdtrit

    probabilities = np.array([(1 + level) / 2, power])
    quantiles = ndtri(probabilities) if math.isinf(freedom) else stdtrit(freedom, probabilities)
    return error * float(quantiles.sum())
