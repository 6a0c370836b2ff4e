"""Random numbers that are functions of (seed, epoch, image): no worker or restart matters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a counter goes in, 64 mixed bits come out.
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = values * _GAMMA
    values = (values ^ (values >> np.uint64(30))) * _MIX_1
    values = (values ^ (values >> np.uint64(27))) * _MIX_2
    return values ^ (values >> np.uint64(31))


def uniforms(seed: int, epoch: int, indices: NDArray[np.int64], draws: int) -> NDArray[np.float64]:
    """Returns uniform numbers in [0, 1), (N, draws).

    Args:
        seed: The run's seed.
        epoch: The epoch that the images are seen in.
        indices: (N,) the images' indices in their split.
        draws: How many numbers an image takes.
    """
    key = _mix(np.array([seed + 1], dtype=np.uint64))
    key = _mix(key ^ np.array([epoch + 1], dtype=np.uint64))
    key = _mix(key ^ (indices.astype(np.uint64) + np.uint64(1)))
    bits = _mix(key[:, None] + np.arange(1, draws + 1).astype(np.uint64))
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def shuffled(seed: int, epoch: int, size: int) -> NDArray[np.int64]:
    """Returns the order of an epoch: a permutation of 0..size-1."""
    generator = np.random.Generator(np.random.Philox(key=[seed, epoch]))
    return generator.permutation(size)
