"""Max-T test of all pairs of several models on the same images, with one error rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.bounds import align_bounds_with_p
from ltbench.analysis.stats.strata import Strata
from ltbench.analysis.stats.variance_components import image_variances

_MAX_BLOCK_SIGNS = 4_000_000  # signs drawn at a time: 16 MB
_BLOCK_DRAWS = 512  # draws whose pairs are computed at a time
_STATISTIC_TOLERANCE = 1e-5  # relative rounding error of statistics in single precision
_MIN_VARIANCE = 1e-12  # squared shares; smaller variances are rounding errors, and count as 0
# Level of the test of whether the seeds of a row vary more than those of the other rows.
_POOLING_TEST_LEVEL = 0.05


@dataclass(frozen=True)
class MaxTTest:
    """Differences of all pairs of k rows, first minus second, as shares.

    Args:
        difference: (k, k) differences.
        low: (k, k) lower bounds, simultaneous for all pairs.
        high: (k, k) upper bounds, simultaneous for all pairs.
        p: (k, k) two-sided p values, each corrected for all pairs; 1 where two rows are correct on
            the same images. The interval excludes 0 exactly where p < 1 - level.
    """

    difference: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p: NDArray[np.float64]


@dataclass(frozen=True)
class _RowVariances:
    """Variance components of the accuracies of k rows, for one mean.

    Args:
        means: (k,) accuracies, as shares.
        image_effects: (N, k) contributions of the images to the accuracies, minus their mean over
            the rows; images with equal contributions to all rows are left out.
        interaction: (k,) variances from the interaction of seeds and images.
        seed_variances: (k,) variances from the choice of seeds; they include the interaction.
        freedom: (k,) degrees of freedom of the seed variances.
        pooled: (k,) whether the seed variance of a row is pooled with that of other rows.
    """

    means: NDArray[np.float64]
    image_effects: NDArray[np.float64]
    interaction: NDArray[np.float64]
    seed_variances: NDArray[np.float64]
    freedom: NDArray[np.float64]
    pooled: NDArray[np.bool_]


def max_t_test(
    rights: Sequence[NDArray[np.bool_]],
    strata: Strata,
    *,
    level: float = 0.95,
    resamples: int = 4999,
    seed: int = 0,
) -> MaxTTest:
    """Compares all pairs of rows with one family-wise error rate (max-T).

    If no rows differ, the probability of one or more significant pairs is 1 - level, for any
    selection of pairs, also one made after seeing the results. The studentised difference of each
    pair is compared with the distribution of the largest one among all pairs (Westfall and Young,
    1993). This distribution includes the correlations between rows, which are tested on the same
    images.

    Images: the differences of all rows on an image get one random sign, as in the randomisation
    test of a single pair (Noreen, 1989). Seeds: the errors of each row are drawn from a t
    distribution. Two or three seeds estimate the variance between seeds poorly, so the rows are
    pooled: the ratio of the seeds' variance to the variance of the interaction of seeds and images,
    which many images estimate well, is taken over all rows. A row keeps its own variance where that
    is larger, and its own degrees of freedom where it is significantly larger.

    Args:
        rights: k arrays (S, N), whether the model of each seed recognises each image; S is 2 or
            more, and may differ between rows.
        strata: Strata of the images, and weights of one mean.
        level: Simultaneous coverage of the intervals of all pairs, 0 to 1.
        resamples: Number of draws; p is 1 / (1 + resamples) or more.
        seed: Seed of the draws.

    Raises:
        ValueError: A row has fewer than two seeds, or `strata` has more than one mean.
    """
    if len(strata.counts) != 1 or any(len(right) < 2 for right in rights):
        raise ValueError("max-T test: expected one mean, and two seeds or more of each row")
    rows = _row_variances(rights, strata)
    squares = (rows.image_effects**2).sum(axis=0)
    of_images = squares[:, None] + squares - 2 * rows.image_effects.T @ rows.image_effects
    alone = np.maximum(of_images - rows.interaction[:, None] - rows.interaction, 0)
    variances = alone + rows.seed_variances[:, None] + rows.seed_variances
    np.fill_diagonal(variances, 0)
    apart = variances > _MIN_VARIANCE
    scales, shares = np.zeros_like(variances), np.zeros_like(variances)
    np.divide(1, np.sqrt(variances), out=scales, where=apart)
    np.divide(alone, of_images, out=shares, where=of_images > _MIN_VARIANCE)
    difference = rows.means[:, None] - rows.means
    statistics = np.abs(difference) * scales
    largest = np.concatenate(
        [
            _largest_statistics(
                of_images, of_seeds, scales.astype(np.float32), np.sqrt(shares) * scales
            )
            for of_images, of_seeds in _draw_errors(rows, resamples, np.random.default_rng(seed))
        ]
    )
    largest.sort()
    as_large = resamples - np.searchsorted(largest, statistics * (1 - _STATISTIC_TOLERANCE))
    p = np.where(apart, (1 + as_large) / (1 + resamples), 1.0)
    # Number of draws that are as large as the statistic where p is 1 - level.
    beyond = min(max(int((1 - level) * (1 + resamples)), 1), resamples)
    reach = float(largest[-beyond]) * np.sqrt(variances)
    low, high = align_bounds_with_p(difference - reach, difference + reach, difference, p, level)
    return MaxTTest(difference, low, high, p)


def _row_variances(rights: Sequence[NDArray[np.bool_]], strata: Strata) -> _RowVariances:
    weights = strata.weight_matrix[:, 0]
    each = (weights / np.maximum(strata.sizes, 1))[strata.image_strata]
    concerned = each > 0
    images = np.stack([right.mean(axis=0) for right in rights], axis=1) * each[:, None]
    means = np.array([float(strata.means(right.mean(axis=0))[0]) for right in rights])
    images -= images.mean(axis=1, keepdims=True)
    images = images[concerned & (np.abs(images).max(axis=1) > _MIN_VARIANCE)]
    both, own = np.zeros(len(rights)), np.zeros(len(rights))
    freedom = np.array([len(right) - 1.0 for right in rights])
    for row, right in enumerate(rights):
        values = right.astype(float)
        both[row] = float(image_variances(values, strata)[1][0])
        own[row] = float(strata.means(values)[:, 0].var(ddof=1)) / len(right)
    return _RowVariances(means, images, both, *_pool_seed_variances(both, own, freedom))


def _pool_seed_variances(
    interaction: NDArray[np.float64], own: NDArray[np.float64], freedom: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Returns seed variances, their degrees of freedom, and whether rows are pooled, (k,) each.

    Args:
        interaction: (k,) variances from the interaction of seeds and images.
        own: (k,) variances between the seeds of each row.
        freedom: (k,) degrees of freedom of `own`.
    """
    from scipy.special import fdtri

    vary = interaction > _MIN_VARIANCE
    ratios = np.zeros_like(own)
    np.divide(own, interaction, out=ratios, where=vary)
    counted = freedom * vary
    # Each row is compared with the pooled ratio of the other rows.
    rest = np.maximum(counted.sum() - counted, 1e-9)
    others = np.maximum(((counted * ratios).sum() - counted * ratios) / rest, 1)
    limits = np.array(
        [fdtri(d, max(n, 1), 1 - _POOLING_TEST_LEVEL) for d, n in zip(freedom, rest, strict=True)]
    )
    alike = vary & ((ratios <= others * limits) | (rest < 1))
    total = float(counted[alike].sum())
    common = max(float((counted * ratios)[alike].sum() / total), 1.0) if total else 1.0
    seeds = np.maximum(own, common * interaction)
    return seeds, np.where(alike, total, freedom), alike


def _draw_errors(
    rows: _RowVariances, resamples: int, generator: np.random.Generator
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Yields blocks of random errors of the accuracies, (R, k) from images and from seeds."""
    images = rows.image_effects.astype(np.float32)
    n, k = images.shape
    deviations = np.sqrt(rows.seed_variances)
    block = max(1, _MAX_BLOCK_SIGNS // max(n, k, 1))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        bits = np.unpackbits(generator.integers(0, 256, (size, n // 8 + 1), np.uint8), axis=1)
        signs = bits[:, :n].astype(np.float32) * 2 - 1
        chi2 = generator.chisquare(rows.freedom, (size, k)) / rows.freedom
        if rows.pooled.any():
            shared = rows.freedom[rows.pooled][0]
            chi2[:, rows.pooled] = generator.chisquare(shared, (size, 1)) / shared
        of_seeds = generator.normal(size=(size, k)) * deviations / np.sqrt(chi2)
        yield signs @ images, of_seeds.astype(np.float32)


def _largest_statistics(
    of_images: NDArray[np.float32],
    of_seeds: NDArray[np.float32],
    scales: NDArray[np.float32],
    image_scales: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Returns the largest studentised difference among all pairs in each draw, (R,).

    Args:
        of_images: (R, k) errors from the choice of images.
        of_seeds: (R, k) errors from the choice of seeds.
        scales: (k, k) inverse standard errors of the pairs.
        image_scales: (k, k) the same, reduced by the share of the interaction in the image errors.
    """
    reduced = image_scales.astype(np.float32)
    # Rows by draws, in blocks that stay in the cache: half the time of whole arrays.
    images, seeds = np.ascontiguousarray(of_images.T), np.ascontiguousarray(of_seeds.T)
    draws = images.shape[1]
    largest = np.zeros(draws, np.float32)
    room = np.empty((2, len(scales), min(_BLOCK_DRAWS, draws)), np.float32)
    for start in range(0, draws, _BLOCK_DRAWS):
        block = slice(start, start + _BLOCK_DRAWS)
        a, b, most = images[:, block], seeds[:, block], largest[block]
        for row in range(1, len(scales)):
            pairs, others = room[:, :row, : len(most)]
            np.subtract(a[row], a[:row], out=pairs)
            pairs *= reduced[row, :row, None]
            np.subtract(b[row], b[:row], out=others)
            others *= scales[row, :row, None]
            pairs += others
            np.abs(pairs, out=pairs)
            np.maximum(most, pairs.max(axis=0), out=most)
    return largest
