"""Bootstrap intervals for accuracies."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def stratified_interval(
    correct: NDArray[np.int64],
    support: NDArray[np.int64],
    weights: Mapping[str, NDArray[np.float64] | None],
    *,
    level: float = 0.95,
    resamples: int = 9999,
    seed: int = 0,
) -> dict[str, list[float] | None]:
    """Returns percentile intervals of weighted means of per-class accuracies, in percent.

    The images of each class are resampled with replacement. Of the n_k images of a class with c_k
    right ones, the number of right ones in a resample is Binomial(n_k, c_k / n_k): the bootstrap is
    drawn exactly, without touching an image. The same seed pairs the intervals of several runs.

    Args:
        correct: (K,) test images of each class that were recognised.
        support: (K,) test images of each class.
        weights: Name -> (K,) weights that sum to 1; None for a mean over nothing.
        level: Coverage.
        resamples: Number of bootstrap resamples.
        seed: Of the resampling.
    """
    generator = np.random.default_rng(seed)
    shares = np.divide(correct, support, out=np.zeros(len(support)), where=support > 0)
    draws = generator.binomial(support, shares, size=(resamples, len(support)))
    accuracies = np.divide(draws, support, out=np.zeros(draws.shape), where=support > 0)
    tail = 50 * (1 - level)
    return {
        name: None
        if weight is None
        else [float(bound) for bound in np.percentile(100 * accuracies @ weight, [tail, 100 - tail])]
        for name, weight in weights.items()
    }
