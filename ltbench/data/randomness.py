"""Random numbers as functions of (seed, epoch, image), independent of workers and restarts.

An image may be drawn several times in an epoch, each time with other random numbers. A *draw*
identifies the image and the repetition: index + N * (number of earlier draws of the image in this
epoch), for the N images of the split.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SUBSET_EPOCH = 2**32  # epoch number that no training reaches
_TEST_VIEW_EPOCH = 2**32 + 1  # another one
_CLASS_STRIDE = 2**32  # numbers reserved for the images of a class

# SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): mixes a counter to 64 random bits.
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = values * _GAMMA
    values = (values ^ (values >> np.uint64(30))) * _MIX_1
    values = (values ^ (values >> np.uint64(27))) * _MIX_2
    return values ^ (values >> np.uint64(31))


def uniforms(seed: int, epoch: int, draws: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Returns uniform numbers in [0, 1), (B, count).

    Args:
        seed: Seed of the run.
        epoch: Number of the epoch.
        draws: Draws, (B,); equal to the indices where every image is drawn once.
        count: Number of random numbers for each image.
    """
    key = _mix(np.array([seed + 1], dtype=np.uint64))
    key = _mix(key ^ np.array([epoch + 1], dtype=np.uint64))
    key = _mix(key ^ (draws.astype(np.uint64) + np.uint64(1)))
    bits = _mix(key[:, None] + np.arange(1, count + 1).astype(np.uint64))
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def view_uniforms(indices: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Returns uniform numbers in [0, 1) for the test views of images, (B, count).

    Args:
        indices: Indices of the images in their split, (B,).
        count: Number of random numbers for each image.
    """
    return uniforms(0, _TEST_VIEW_EPOCH, indices, count)


def shuffle_epoch(seed: int, epoch: int, size: int) -> NDArray[np.int64]:
    """Returns the order of images in an epoch: a permutation of 0..size-1."""
    return _generator(seed, epoch).permutation(size)


def draw_epoch(
    seed: int, epoch: int, labels: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Returns the draws of an epoch, with classes drawn in proportion to their weights, (N,).

    Args:
        seed: Seed of the run.
        epoch: Number of the epoch.
        labels: Class ids, (N,).
        weights: Sampling weight of each class, (K,), in any unit. Images are drawn with
            replacement; those of one class are equally likely.
    """
    size = len(labels)
    counts = np.bincount(labels, minlength=len(weights))
    share = (weights / np.maximum(counts, 1))[labels]
    chosen = _generator(seed, epoch).choice(size, size=size, p=share / share.sum())
    order = np.argsort(chosen, kind="stable")
    ranked = chosen[order]
    first = np.searchsorted(ranked, ranked)  # position of the first draw of the same image
    before = np.empty(size, dtype=np.int64)
    before[order] = np.arange(size) - first
    return chosen + size * before


def sample_per_class(
    seed: int, labels: NDArray[np.int64], class_counts: NDArray[np.int64], per_class: int
) -> NDArray[np.int64]:
    """Returns indices of images, at most `per_class` of each class, (M,).

    Sorted by class, and within a class in the order of the split. A class with at most `per_class`
    images gives all of them, a larger class that many at random. The choice in a class depends on
    the seed, the class and its number of images only, not on other classes.

    Args:
        seed: Seed of the run.
        labels: Class ids, (N,).
        class_counts: Number of images of each class, (K,).
        per_class: Maximum number of images of a class.
    """
    order = np.argsort(labels, kind="stable")
    starts = np.cumsum(class_counts) - class_counts
    position = np.arange(len(order)) - starts[labels[order]]
    number = uniforms(seed, _SUBSET_EPOCH, labels[order] * _CLASS_STRIDE + position, 1)[:, 0]
    by_number = np.lexsort((number, labels[order]))
    drawn_early = np.empty(len(order), dtype=bool)
    drawn_early[by_number] = position < per_class
    return order[drawn_early]


def random_ranks(
    seed: int, stream: int, labels: NDArray[np.int64], class_counts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Returns the place of each image in a random order of the images of its class, (N,).

    Args:
        seed: Data seed.
        stream: Number beside the seed that no other choice of images has: 2**32 or more, which no
            epoch number reaches.
        labels: Class ids, (N,).
        class_counts: Number of images of each class, (K,).
    """
    by_class = np.lexsort((_generator(seed, stream).random(len(labels)), labels))
    starts = np.repeat(np.cumsum(class_counts) - class_counts, class_counts)
    ranks = np.empty(len(labels), np.int64)
    ranks[by_class] = np.arange(len(labels)) - starts
    return ranks


def _generator(seed: int, epoch: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed, epoch]))
