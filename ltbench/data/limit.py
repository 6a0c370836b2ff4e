"""A few images of each class, for a quick look at a data set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ltbench.data.dataset import Dataset, Split
from ltbench.data.images import subset
from ltbench.data.randomness import random_ranks

_STREAM = 2**33  # Philox key beside the data seed: no other choice of images has it


def limit_images(dataset: Dataset, limit: int | None, data_seed: int) -> Dataset:
    """Returns a data set with at most `limit` images of each class in every split.

    The choice depends on the labels and the seed alone: a smaller limit takes some of the images of
    a larger one. The data set keeps its published class counts, which decide the shot groups.

    Args:
        dataset: Data set; no image of it is read.
        limit: Largest number of images of a class in a split; None keeps all.
        data_seed: Seed of the choice.
    """
    if limit is None:
        return dataset
    chosen = {
        name: _few(split, limit, dataset.num_classes, data_seed)
        for name, split in dataset.splits.items()
    }
    left = len(chosen["train"]) + dataset.unreadable
    return replace(
        dataset,
        splits=chosen,
        published_counts=dataset.shot_counts,
        left_out=int(dataset.shot_counts.sum()) - left,
    )


def _few(split: Split, limit: int, num_classes: int, data_seed: int) -> Split:
    counts = np.bincount(split.labels, minlength=num_classes)
    if counts.max() <= limit:
        return split
    at = np.flatnonzero(random_ranks(data_seed, _STREAM, split.labels, counts) < limit)
    return Split(subset(split.images, at), split.labels[at])
