"""Splits drawn from images without any, class by class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ltbench.data.randomness import random_ranks

Amount = int | float
"""Images to draw of each class: a number, or a share below 1."""

DEFAULT_TEST_SHARE = 0.2
"""Share of test images of each class where a data set has no test split, and none was chosen."""

_STREAM = 2**32 + 1  # Philox key beside the data seed: no training has this epoch number


def draw_splits(
    labels: NDArray[np.int64], test: Amount | None, val: Amount | None, data_seed: int
) -> dict[str, NDArray[np.int64]]:
    """Draws a test and a validation split, and leaves the other images for training.

    Each class gives the amount, at least one image and never its last one; test comes before
    validation. The draw depends on the labels and the seed alone.

    Args:
        labels: Class ids, (N,).
        test: Test images of each class; None for no test split.
        val: Validation images of each class; None for no validation split.
        data_seed: Seed of the draw.

    Returns:
        Ascending indices of the images of each split that has images.
    """
    counts = np.bincount(labels)
    tested = drawn_counts(counts, test)
    validated = drawn_counts(counts - tested, val, of=counts)
    rank = random_ranks(data_seed, _STREAM, labels, counts)
    test_end, val_end = tested[labels], (tested + validated)[labels]
    members = {
        "train": np.flatnonzero(rank >= val_end),
        "val": np.flatnonzero((rank >= test_end) & (rank < val_end)),
        "test": np.flatnonzero(rank < test_end),
    }
    return {name: indices for name, indices in members.items() if len(indices)}


def drawn_counts(
    left: NDArray[np.int64], amount: Amount | None, of: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Returns the number of images to draw from each class, (K,).

    >>> drawn_counts(np.array([0, 1, 2, 3, 20]), 0.2).tolist()
    [0, 0, 1, 1, 4]
    >>> drawn_counts(np.array([0, 1, 2, 3, 20]), 5).tolist()
    [0, 0, 1, 2, 5]

    Args:
        left: Images of each class to draw from, (K,).
        amount: Number of images, or share rounded half up; None draws nothing.
        of: Images of each class that a share refers to, (K,); `left` where None.
    """
    if amount is None:
        return np.zeros_like(left)
    whole = left if of is None else of
    wanted = np.full_like(left, amount) if amount >= 1 else np.floor(whole * amount + 0.5)
    return np.minimum(np.maximum(wanted, 1), np.maximum(left - 1, 0)).astype(np.int64)
