"""Distributions of whole numbers against their closed forms.

The Dvoretzky-Kiefer-Wolfowitz inequality bounds Kolmogorov's distance for any law, discrete ones
included, so that extents in whole pixels need no approximation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Law = Callable[[NDArray[np.int64]], NDArray[np.float64]]


def distance(sample: NDArray[Any], law: Law) -> float:
    """Kolmogorov's distance between whole numbers and a law, given as P(X <= k)."""
    support = np.arange(int(sample.min()) - 1, int(sample.max()) + 2)
    empirical = np.searchsorted(np.sort(sample), support, side="right") / len(sample)
    return float(np.abs(empirical - law(support)).max())


def bound(count: int, level: float = 1e-6) -> float:
    """What the distance exceeds with a probability of at most `level`."""
    return math.sqrt(math.log(2 / level) / (2 * count))


def mda_law(size: tuple[int, int], smallest: float) -> Law:
    """P(side <= k): the area is uniform between min(s_t A, m^2) and m^2, the side is rounded."""
    high = min(size) ** 2
    low = min(smallest * size[0] * size[1], high)

    def law(side: NDArray[np.int64]) -> NDArray[np.float64]:
        area = np.square(side + 0.5) * (side >= 0)
        if low == high:
            return (area >= high).astype(np.float64)
        return np.clip((area - low) / (high - low), 0, 1)

    return law
