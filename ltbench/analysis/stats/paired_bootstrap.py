"""The stratified paired bootstrap of a difference between two models on the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.strata import Strata

_MANY = 1e6  # degrees of freedom that are as good as infinite


@dataclass(frozen=True)
class BootstrapInterval:
    """A percentile interval of a difference of two accuracies, as a share.

    Args:
        difference: First model minus second.
        low: Lower bound.
        high: Upper bound.
    """

    difference: float
    low: float
    high: float


def paired_bootstrap(
    differences: NDArray[np.int8],
    strata: Strata,
    *,
    level: float = 0.95,
    resamples: int = 9999,
    seed: int = 0,
) -> dict[str, BootstrapInterval]:
    """Returns the interval of the difference of each mean (Efron and Tibshirani, 1993).

    Args:
        differences: (N,) of each image: 1 where only the first model is right, -1 where only the
            second is, 0 where they agree.
        strata: The images' strata and the means.
        level: Coverage.
        resamples: Number of bootstrap resamples.
        seed: Of the resampling; the same seed pairs several comparisons.
    """
    tail = 50 * (1 - level)
    found = strata.means(differences.astype(float))
    deviations = deviations_of_images(differences[None], strata, resamples=resamples, seed=seed)
    bounds = found + np.percentile(deviations, [tail, 100 - tail], axis=0)
    return {
        name: BootstrapInterval(float(found[m]), float(bounds[0, m]), float(bounds[1, m]))
        for m, name in enumerate(strata.weights)
    }


def deviations_of_images(
    differences: NDArray[np.int8], strata: Strata, *, resamples: int, seed: int
) -> NDArray[np.float64]:
    """Returns by how much each mean changes when other images are drawn, (R, M).

    Images are drawn within their strata, the same for both models and for all seeds. An image's
    sum over S seeds is one of 2 S + 1 numbers, and a resample of n images has the sum of n of them,
    whose distribution is known: the bootstrap is drawn exactly, without touching an image. Strata
    alike in size, numbers and weights are drawn together.

    Two corrections are for classes of a few test images. A resample of n images varies (n - 1) / n
    as much as it should, and deviations are enlarged by that. How much images vary is itself an
    estimate; each resample's deviation is divided by the root of a chi-squared number over its
    degrees of freedom (Satterthwaite, 1946), which makes of a normal distribution a t distribution.

    Args:
        differences: (S, N) in -1, 0, 1: a row a seed.
        strata: The images' strata and the means.
        resamples: R.
        seed: Of the resampling.
    """
    seeds = len(differences)
    values = np.arange(-seeds, seeds + 1)
    totals = differences.sum(axis=0, dtype=np.int64)
    cells = strata.of_image * len(values) + totals + seeds
    counts = np.bincount(cells, minlength=len(strata.sizes) * len(values))
    counts = counts.reshape(-1, len(values))
    varied = np.flatnonzero((counts > 0).sum(axis=1) > 1)
    alike, members = np.unique(
        np.concatenate([counts[varied], strata.matrix[varied]], axis=1), axis=0, return_counts=True
    )
    counts, weights = alike[:, : len(values)].astype(np.int64), alike[:, len(values) :]
    sizes = counts.sum(axis=1)
    enlarged = 1 / (seeds * np.sqrt(sizes * (sizes - 1.0)))  # mean of n, times sqrt(n / (n - 1))
    weights = weights * enlarged[:, None]
    expected = members * (counts @ values)
    generator = np.random.default_rng(seed)
    sums = np.empty((resamples, len(counts)))
    for group, n in enumerate(members * sizes):
        sums[:, group] = _sums(counts[group], int(n), resamples, generator) - n * seeds
    freedom = freedom_of_images(totals / seeds, strata)
    scales = generator.chisquare(freedom, (resamples, len(freedom))) / freedom
    deviations: NDArray[np.float64] = (sums - expected) @ weights / np.sqrt(scales)
    return deviations


def _sums(
    counts: NDArray[np.int64], n: int, resamples: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draws sums of n numbers that are 0, 1, ... as often as counted: from their convolution."""
    length = n * (len(counts) - 1) + 1
    spectrum = np.fft.rfft(counts / counts.sum(), length) ** n
    chances = np.fft.irfft(spectrum, length).clip(min=0)
    return generator.choice(length, resamples, p=chances / chances.sum())


def freedom_of_images(means: NDArray[np.float64], strata: Strata) -> NDArray[np.float64]:
    """Returns degrees of freedom of the images' variance of each mean, (M,): Satterthwaite (1946).

    Args:
        means: (N,) of each image, over the seeds.
        strata: The images' strata and the means.
    """
    sizes, rest = np.maximum(strata.sizes, 1), np.maximum(strata.sizes - 1, 1)
    squares = strata.sums(means**2) - strata.sums(means) ** 2 / sizes
    parts = strata.matrix**2 * (np.maximum(squares, 0) / rest / sizes)[:, None]
    freedom = np.full(parts.shape[1], _MANY)
    spread = (parts**2 / rest[:, None]).sum(axis=0)
    np.divide(parts.sum(axis=0) ** 2, spread, out=freedom, where=spread > 0)
    bounded: NDArray[np.float64] = np.clip(freedom, 1, _MANY)
    return bounded
