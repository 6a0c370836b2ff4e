"""Stratified paired bootstrap of a difference between two models on the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.strata import Strata

_MAX_FREEDOM = 1e6  # degrees of freedom; a t distribution with more is normal up to rounding


@dataclass(frozen=True)
class BootstrapInterval:
    """Percentile interval of a difference of two accuracies, as shares.

    Args:
        difference: Accuracy of the first model minus that of the second.
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
        differences: (N,) value of each image: 1 where only the first model is correct, -1 where
            only the second is, 0 where they agree.
        strata: Strata of the images, and weights of the means.
        level: Coverage of the intervals, 0 to 1.
        resamples: Number of bootstrap resamples.
        seed: Seed of the resampling; comparisons with the same seed use the same resamples.
    """
    tail = 50 * (1 - level)
    found = strata.means(differences.astype(float))
    deviations = bootstrap_deviations(differences[None], strata, resamples=resamples, seed=seed)
    bounds = found + np.percentile(deviations, [tail, 100 - tail], axis=0)
    return {
        name: BootstrapInterval(float(found[m]), float(bounds[0, m]), float(bounds[1, m]))
        for m, name in enumerate(strata.weights)
    }


def bootstrap_deviations(
    differences: NDArray[np.int8], strata: Strata, *, resamples: int, seed: int
) -> NDArray[np.float64]:
    """Returns the deviation of each mean in bootstrap resamples of the images, (R, M).

    Images are drawn within their strata, the same for both models and for all seeds. The sum of an
    image over S seeds is one of 2 S + 1 integers, so the sum of a resample of n images has a known
    distribution. The bootstrap draws from it exactly, without a loop over images. Strata with the
    same size, counts and weights are drawn together.

    Two corrections matter for classes with few test images. The variance of a resample of n images
    is too small by the factor (n - 1) / n, so deviations are enlarged accordingly. The variance
    itself is an estimate, so the deviations of each resample are divided by the root of a
    chi-squared variable over its degrees of freedom (Satterthwaite, 1946), which turns a normal
    distribution into a t distribution.

    Args:
        differences: (S, N) values -1, 0 or 1, one row per seed.
        strata: Strata of the images, and weights of the means.
        resamples: Number of resamples, R.
        seed: Seed of the resampling.
    """
    seeds = len(differences)
    values = np.arange(-seeds, seeds + 1)
    totals = differences.sum(axis=0, dtype=np.int64)
    cells = strata.image_strata * len(values) + totals + seeds
    counts = np.bincount(cells, minlength=len(strata.sizes) * len(values))
    counts = counts.reshape(-1, len(values))
    varied = np.flatnonzero((counts > 0).sum(axis=1) > 1)
    alike, members = np.unique(
        np.concatenate([counts[varied], strata.weight_matrix[varied]], axis=1),
        axis=0,
        return_counts=True,
    )
    counts, weights = alike[:, : len(values)].astype(np.int64), alike[:, len(values) :]
    sizes = counts.sum(axis=1)
    enlarged = 1 / (seeds * np.sqrt(sizes * (sizes - 1.0)))  # 1 / n for a mean, sqrt(n / (n - 1))
    weights = weights * enlarged[:, None]
    expected = members * (counts @ values)
    generator = np.random.default_rng(seed)
    sums = np.empty((resamples, len(counts)))
    for group, n in enumerate(members * sizes):
        sums[:, group] = _draw_sums(counts[group], int(n), resamples, generator) - n * seeds
    freedom = image_freedom(totals / seeds, strata)
    scales = generator.chisquare(freedom, (resamples, len(freedom))) / freedom
    deviations: NDArray[np.float64] = (sums - expected) @ weights / np.sqrt(scales)
    return deviations


def _draw_sums(
    counts: NDArray[np.int64], n: int, resamples: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draws sums of n integers, each 0, 1, ... in proportion to the counts, by convolution."""
    length = n * (len(counts) - 1) + 1
    spectrum = np.fft.rfft(counts / counts.sum(), length) ** n
    chances = np.fft.irfft(spectrum, length).clip(min=0)
    return generator.choice(length, resamples, p=chances / chances.sum())


def image_freedom(means: NDArray[np.float64], strata: Strata) -> NDArray[np.float64]:
    """Returns the degrees of freedom of each mean's variance over images, (M,).

    They are those of Satterthwaite (1946), between 1 and 1e6.

    Args:
        means: (N,) mean of each image over the seeds.
        strata: Strata of the images, and weights of the means.
    """
    sizes, rest = np.maximum(strata.sizes, 1), np.maximum(strata.sizes - 1, 1)
    squares = strata.sums(means**2) - strata.sums(means) ** 2 / sizes
    parts = strata.weight_matrix**2 * (np.maximum(squares, 0) / rest / sizes)[:, None]
    freedom = np.full(parts.shape[1], _MAX_FREEDOM)
    spread = (parts**2 / rest[:, None]).sum(axis=0)
    np.divide(parts.sum(axis=0) ** 2, spread, out=freedom, where=spread > 0)
    bounded: NDArray[np.float64] = np.clip(freedom, 1, _MAX_FREEDOM)
    return bounded
