"""Random numbers that are functions of (seed, epoch, image): no worker or restart matters.

An image may be drawn several times in an epoch, and each time it is seen otherwise. A *draw* names
it and the time: index + N * (how often it was drawn before), for the N images of the split.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CHOICE = 2**32  # in the place of an epoch: no training has so many
_CLASS = 2**32  # numbers of a class's images

# SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a counter goes in, 64 mixed bits come out.
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
        seed: The run's seed.
        epoch: The epoch that the images are seen in.
        draws: (B,) draws; where every image is seen once, their indices.
        count: How many numbers an image takes.
    """
    key = _mix(np.array([seed + 1], dtype=np.uint64))
    key = _mix(key ^ np.array([epoch + 1], dtype=np.uint64))
    key = _mix(key ^ (draws.astype(np.uint64) + np.uint64(1)))
    bits = _mix(key[:, None] + np.arange(1, count + 1).astype(np.uint64))
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def shuffled(seed: int, epoch: int, size: int) -> NDArray[np.int64]:
    """Returns the order of an epoch: a permutation of 0..size-1."""
    return _generator(seed, epoch).permutation(size)


def drawn(
    seed: int, epoch: int, labels: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Returns the draws of an epoch in which classes are seen as often as their weights say, (N,).

    Args:
        seed: The run's seed.
        epoch: The epoch.
        labels: (N,) class ids.
        weights: (K,) how often each class is drawn, in any unit. Drawn with replacement; the images
            of a class share its draws evenly.
    """
    size = len(labels)
    counts = np.bincount(labels, minlength=len(weights))
    share = (weights / np.maximum(counts, 1))[labels]
    chosen = _generator(seed, epoch).choice(size, size=size, p=share / share.sum())
    order = np.argsort(chosen, kind="stable")
    ranked = chosen[order]
    first = np.searchsorted(ranked, ranked)  # where the draws of the same image begin
    before = np.empty(size, dtype=np.int64)
    before[order] = np.arange(size) - first
    return chosen + size * before


def at_most(
    seed: int, labels: NDArray[np.int64], class_counts: NDArray[np.int64], per_class: int
) -> NDArray[np.int64]:
    """Returns indices of images of which no class has more than some number, (M,).

    Sorted by class, and within a class as the split has them. All images of a class that has no
    more than `per_class`, else that many of them drawn at random. What is drawn of a class is a
    function of the seed, the class and how many images it has: other classes change nothing.

    Args:
        seed: The run's seed.
        labels: (N,) class ids.
        class_counts: (K,) images of each class.
        per_class: Images of a class at most.
    """
    order = np.argsort(labels, kind="stable")
    starts = np.cumsum(class_counts) - class_counts
    position = np.arange(len(order)) - starts[labels[order]]
    number = uniforms(seed, _CHOICE, labels[order] * _CLASS + position, 1)[:, 0]
    by_number = np.lexsort((number, labels[order]))
    drawn_early = np.empty(len(order), dtype=bool)
    drawn_early[by_number] = position < per_class
    return order[drawn_early]


def _generator(seed: int, epoch: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed, epoch]))
