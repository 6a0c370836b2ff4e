"""Bootstrap intervals for accuracies."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_BLOCK = 4_000_000  # numbers drawn at a time: 32 MB


def stratified_interval(
    correct: NDArray[np.int64],
    support: NDArray[np.int64],
    weights: Mapping[str, NDArray[np.float64] | None],
    *,
    level: float = 0.95,
    resamples: int = 4999,
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
    shares = _divide(correct, support)
    given = {name: weight for name, weight in weights.items() if weight is not None}
    matrix = 100 * np.stack(list(given.values()), axis=1)
    means = []
    block = max(1, _BLOCK // len(support))
    for start in range(0, resamples, block):
        size = (min(block, resamples - start), len(support))
        means.append(_divide(generator.binomial(support, shares, size), support) @ matrix)
    tail = 50 * (1 - level)
    bounds = np.percentile(np.concatenate(means), [tail, 100 - tail], axis=0).T.tolist()
    found = dict(zip(given, bounds, strict=True))
    return {name: found.get(name) for name in weights}


def _divide(counts: NDArray[np.int64], support: NDArray[np.int64]) -> NDArray[np.float64]:
    shares = np.zeros(counts.shape)
    np.divide(counts, support, out=shares, where=support > 0)
    return shares
