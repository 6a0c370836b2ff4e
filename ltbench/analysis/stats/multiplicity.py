"""Correction of p values for multiple comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Correction = Literal["holm", "bh", "none"]


def correct_p_values(p_values: Sequence[float], correction: Correction) -> NDArray[np.float64]:
    """Returns corrected p values, in the order given.

    Args:
        p_values: (m,) p values of one family of comparisons.
        correction: Method: "holm" (Holm, 1979) bounds the probability of one or more false
            positives; "bh" (Benjamini and Hochberg, 1995) bounds the expected share of false
            positives among the significant results; "none" changes nothing.
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
