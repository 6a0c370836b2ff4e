"""P values of several comparisons, corrected for there being several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Correction = Literal["holm", "bh", "none"]


def correct(p_values: Sequence[float], correction: Correction) -> NDArray[np.float64]:
    """Returns corrected p values, in the order given.

    Args:
        p_values: (m,) of all comparisons that are looked at together.
        correction: "holm" (Holm, 1979): the chance of even one false finding stays below the
            level; "bh" (Benjamini and Hochberg, 1995): the expected share of false findings among
            the findings does; "none".
    """
    given = np.asarray(p_values, dtype=float)
    if correction == "none" or not len(given):
        return given
    if correction == "bh":
        from scipy.stats import false_discovery_control

        controlled: NDArray[np.float64] = false_discovery_control(given, method="bh")
        return controlled
    order = np.argsort(given)
    factors = np.arange(len(given), 0, -1)
    corrected = np.empty_like(given)
    corrected[order] = np.minimum(np.maximum.accumulate(given[order] * factors), 1)
    return corrected
