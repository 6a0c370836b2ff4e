"""Images that look like others, by their perceptual hashes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ltbench.io.interrupts import check

MAX_DISTANCE = 4
"""Bits of 64 in which the hashes of two images that look alike may differ: a picture that was
scaled, or compressed again, differs in fewer; unrelated photographs differ in about 32."""

_HASHES_PER_PART = 256
_ODD = np.uint64(0x5555555555555555)
_PAIRS = np.uint64(0x3333333333333333)
_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
_SUM = np.uint64(0x0101010101010101)


def similar_images(
    first: NDArray[np.uint8], second: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Returns the images whose hash is near one of the others, and the nearest of these.

    Args:
        first: Hashes of N images, (N, 8).
        second: Hashes of M others, (M, 8); at least one.

    Returns:
        Indices of the P images in `first`, those of their nearest ones in `second`, and the numbers
        of bits in which their hashes differ.
    """
    one, other = (np.ascontiguousarray(each).view(np.uint64).ravel() for each in (first, second))
    found: list[NDArray[np.int64]] = [np.empty((3, 0), np.int64)]
    for start in range(0, len(one), _HASHES_PER_PART):
        check()
        unlike = one[start : start + _HASHES_PER_PART, None] ^ other
        distances = _bits(unlike)
        nearest = distances.argmin(axis=1)
        smallest = distances[np.arange(len(nearest)), nearest].astype(np.int64)
        rows = np.flatnonzero(smallest <= MAX_DISTANCE)
        found.append(np.stack([rows + start, nearest[rows], smallest[rows]]))
    pairs = np.concatenate(found, axis=1)
    return pairs[0], pairs[1], pairs[2]


def _bits(values: NDArray[np.uint64]) -> NDArray[np.unsignedinteger]:
    """Returns the number of bits of each value that are set."""
    if hasattr(np, "bitwise_count"):  # from NumPy 2
        counted: NDArray[np.unsignedinteger] = np.bitwise_count(values)
        return counted
    values = values - ((values >> np.uint64(1)) & _ODD)
    values = (values & _PAIRS) + ((values >> np.uint64(2)) & _PAIRS)
    values = (values + (values >> np.uint64(4))) & _NIBBLES
    return (values * _SUM) >> np.uint64(56)
