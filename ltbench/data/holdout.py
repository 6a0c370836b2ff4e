"""Hold-out of a validation split from the training split, for data sets without a `val` split."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ltbench.data.dataset import Dataset, Split
from ltbench.data.images import subset
from ltbench.data.randomness import random_ranks
from ltbench.errors import DataError

_STREAM = 2**32  # Philox key beside the data seed: no training has this epoch number


def hold_out(dataset: Dataset, data_seed: int) -> Dataset:
    """Moves about a tenth of each class from the training split to a new split `val`.

    The choice depends on the labels and the seed only. The data set keeps its published class
    counts: they decide the shot groups, while losses, priors and samplings use the counts of the
    images that are left for training.

    Args:
        dataset: Data set without a split `val`.
        data_seed: Seed of the choice.

    Raises:
        DataError: No class has two training images.
    """
    train = dataset.splits["train"]
    held = _chosen(train.labels, dataset.class_counts, data_seed)
    if not held.any():
        raise DataError(
            "no class has two training images: nothing can be held out for validation",
            hint="add --select last --split test, or add training images",
        )
    splits = {"train": _part(train, ~held), "val": _part(train, held)}
    return replace(
        dataset,
        splits={**dataset.splits, **splits},
        published_counts=dataset.shot_counts,
    )


def held_out_counts(class_counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the number of held-out images of each class, (K,): a tenth, rounded half up.

    At least one of two or more, and never the last one.

    >>> held_out_counts(np.array([0, 1, 2, 14, 15, 143])).tolist()
    [0, 0, 1, 1, 2, 14]
    """
    return np.where(class_counts < 2, 0, np.maximum((class_counts + 5) // 10, 1))


def _chosen(
    labels: NDArray[np.int64], class_counts: NDArray[np.int64], data_seed: int
) -> NDArray[np.bool_]:
    """Returns whether each image is held out, (N,): the first of each class in a random order."""
    ranks = random_ranks(data_seed, _STREAM, labels, class_counts)
    held: NDArray[np.bool_] = ranks < held_out_counts(class_counts)[labels]
    return held


def _part(split: Split, members: NDArray[np.bool_]) -> Split:
    at = np.flatnonzero(members)
    return replace(split, images=subset(split.images, at), labels=split.labels[at])
