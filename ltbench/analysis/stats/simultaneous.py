"""All pairs of several models on the same images, with one error rate for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.bounds import agreeing_bounds
from ltbench.analysis.stats.spread import image_variances
from ltbench.analysis.stats.strata import Strata

_BLOCK = 4_000_000  # signs drawn at a time: 16 MB
_SAME = 1e-5  # relative: statistics of the same outcome, in single precision
_NONE = 1e-12  # variances, as squared shares, that are none
_UNLIKE = 0.05  # level of the test whether the seeds of a row vary more than those of the others


@dataclass(frozen=True)
class Simultaneous:
    """Differences of all pairs of k rows, first less second, as shares.

    Args:
        difference: (k, k) differences.
        low: (k, k) lower bounds, which hold for all pairs at once.
        high: (k, k) upper bounds.
        p: (k, k) two-sided p values, each corrected for all pairs; 1 where two rows are right on
            the same images. The interval excludes 0 exactly where p < 1 - level.
    """

    difference: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p: NDArray[np.float64]


@dataclass(frozen=True)
class _Rows:
    """What the accuracies of k rows vary with, for one mean.

    Args:
        means: (k,) accuracies, as shares.
        images: (N, k) what each image adds to each accuracy, less its mean over the rows; images
            that all rows recognise alike are left out.
        both: (k,) variances from the interaction of seeds and images.
        seeds: (k,) variances from the choice of seeds, which have the interaction.
        freedom: (k,) degrees of freedom of these.
        pooled: (k,) whether a row shares the degrees of freedom of all such rows.
    """

    means: NDArray[np.float64]
    images: NDArray[np.float64]
    both: NDArray[np.float64]
    seeds: NDArray[np.float64]
    freedom: NDArray[np.float64]
    pooled: NDArray[np.bool_]


def simultaneous(
    rights: Sequence[NDArray[np.bool_]],
    strata: Strata,
    *,
    level: float = 0.95,
    resamples: int = 4999,
    seed: int = 0,
) -> Simultaneous:
    """Compares all pairs of rows with one error rate for all of them together: max-T.

    The chance that any pair is found to differ although none does is 1 - level, whichever pairs
    are looked at, and whether or not they were chosen after looking. The largest studentised
    difference among all pairs is compared with its distribution (Westfall and Young, 1993), which
    has the correlations of the rows: they are tested on the same images.

    Images: the differences of all rows on an image get one random sign, as in the randomisation
    test of a single pair (Noreen, 1989). Seeds: drawn from a t distribution, each row by itself.
    Two or three seeds tell little about how much seeds vary. What they tell of all rows is
    therefore put together: the ratio of the seeds' variance to the variance that images and seeds
    have together, which is known well. A row keeps its own variance where that is larger, and its
    own degrees of freedom where it is significantly larger.

    Args:
        rights: k of (S, N), S from 2 and not the same for all: whether the model of each seed
            recognises each image.
        strata: Strata of the images, and one mean.
        level: Coverage of the intervals, for all pairs together.
        resamples: Number of draws; p is 1 / (1 + resamples) or more.
        seed: Seed of the draws.

    Raises:
        ValueError: A row has fewer than two seeds, or there is more than one mean.
    """
    if len(strata.votes) != 1 or any(len(right) < 2 for right in rights):
        raise ValueError("a simultaneous test needs one mean, and two seeds of each row")
    rows = _rows(rights, strata)
    squares = (rows.images**2).sum(axis=0)
    of_images = squares[:, None] + squares - 2 * rows.images.T @ rows.images
    alone = np.maximum(of_images - rows.both[:, None] - rows.both, 0)
    variances = alone + rows.seeds[:, None] + rows.seeds
    np.fill_diagonal(variances, 0)
    apart = variances > _NONE
    scales, shares = np.zeros_like(variances), np.zeros_like(variances)
    np.divide(1, np.sqrt(variances), out=scales, where=apart)
    np.divide(alone, of_images, out=shares, where=of_images > _NONE)
    difference = rows.means[:, None] - rows.means
    statistics = np.abs(difference) * scales
    largest = np.concatenate(
        [
            _largest(of_images, of_seeds, scales.astype(np.float32), np.sqrt(shares) * scales)
            for of_images, of_seeds in _draws(rows, resamples, np.random.default_rng(seed))
        ]
    )
    largest.sort()
    as_large = resamples - np.searchsorted(largest, statistics * (1 - _SAME))
    p = np.where(apart, (1 + as_large) / (1 + resamples), 1.0)
    # Of r draws, so many may be as large where p is 1 - level.
    beyond = min(max(int((1 - level) * (1 + resamples)), 1), resamples)
    reach = float(largest[-beyond]) * np.sqrt(variances)
    low, high = agreeing_bounds(difference - reach, difference + reach, difference, p, level)
    return Simultaneous(difference, low, high, p)


def _rows(rights: Sequence[NDArray[np.bool_]], strata: Strata) -> _Rows:
    weights = strata.matrix[:, 0]
    each = (weights / np.maximum(strata.sizes, 1))[strata.of_image]
    concerned = each > 0
    images = np.stack([right.mean(axis=0) for right in rights], axis=1) * each[:, None]
    means = np.array([float(strata.means(right.mean(axis=0))[0]) for right in rights])
    images -= images.mean(axis=1, keepdims=True)
    images = images[concerned & (np.abs(images).max(axis=1) > _NONE)]
    both, own = np.zeros(len(rights)), np.zeros(len(rights))
    freedom = np.array([len(right) - 1.0 for right in rights])
    for row, right in enumerate(rights):
        values = right.astype(float)
        both[row] = float(image_variances(values, strata)[1][0])
        own[row] = float(strata.means(values)[:, 0].var(ddof=1)) / len(right)
    return _Rows(means, images, both, *_pooled(both, own, freedom))


def _pooled(
    both: NDArray[np.float64], own: NDArray[np.float64], freedom: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Returns variances from the choice of seeds, their degrees of freedom, and who shares these.

    Args:
        both: (k,) variances from the interaction of seeds and images.
        own: (k,) variances of each row's seeds.
        freedom: (k,) degrees of freedom of these.
    """
    from scipy.special import fdtri

    vary = both > _NONE
    ratios = np.zeros_like(own)
    np.divide(own, both, out=ratios, where=vary)
    counted = freedom * vary
    # Of each row, the ratio of the others.
    rest = np.maximum(counted.sum() - counted, 1e-9)
    others = np.maximum(((counted * ratios).sum() - counted * ratios) / rest, 1)
    limits = np.array(
        [fdtri(d, max(n, 1), 1 - _UNLIKE) for d, n in zip(freedom, rest, strict=True)]
    )
    alike = vary & ((ratios <= others * limits) | (rest < 1))
    total = float(counted[alike].sum())
    common = max(float((counted * ratios)[alike].sum() / total), 1.0) if total else 1.0
    seeds = np.maximum(own, common * both)
    return seeds, np.where(alike, total, freedom), alike


def _draws(
    rows: _Rows, resamples: int, generator: np.random.Generator
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Yields errors of the rows' accuracies, (R, k) from images and from seeds, block by block."""
    images = rows.images.astype(np.float32)
    n, k = images.shape
    deviations = np.sqrt(rows.seeds)
    block = max(1, _BLOCK // max(n, k, 1))
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


def _largest(
    of_images: NDArray[np.float32],
    of_seeds: NDArray[np.float32],
    scales: NDArray[np.float32],
    image_scales: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Returns the largest studentised difference among all pairs in each draw, (R,).

    Args:
        of_images: (R, k) errors from the choice of images.
        of_seeds: (R, k) errors from the choice of seeds.
        scales: (k, k) of the errors of pairs.
        image_scales: (k, k) of those from images, which hold what seeds and images do together.
    """
    largest = np.zeros(len(of_images), np.float32)
    for row in range(1, len(scales)):
        pairs = (of_images[:, row, None] - of_images[:, :row]) * image_scales[row, :row].astype(
            np.float32
        )
        pairs += (of_seeds[:, row, None] - of_seeds[:, :row]) * scales[row, :row]
        np.maximum(largest, np.abs(pairs).max(axis=1), out=largest)
    return largest
