"""Pairs of similar perceptual hashes."""

from __future__ import annotations

import numpy as np

from ltbench.data.survey.similar import MAX_DISTANCE, similar_images


def test_the_nearest_differs_in_few_bits() -> None:
    random = np.random.default_rng(0)
    first = random.integers(0, 256, (300, 8), np.uint8)
    second = random.integers(0, 256, (400, 8), np.uint8)
    bits = np.unpackbits(first[7])
    bits[[3, 9, 40, 63]] ^= 1  # 4 bits
    second[11] = np.packbits(bits)
    bits[1] ^= 1
    second[12] = np.packbits(bits)  # 5 bits
    second[399] = first[299]
    ones, others, distances = similar_images(first, second)
    assert list(zip(ones, others, distances, strict=True)) == [(7, 11, MAX_DISTANCE), (299, 399, 0)]
