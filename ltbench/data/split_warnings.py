"""Warnings about the test split: classes that it lacks, and class frequencies as in training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ltbench.data.dataset import Dataset

_MAX_SHOWN_CLASSES = 5
_MIN_IMBALANCE = 2.0  # largest over smallest class count of an unbalanced split


def untested_classes(dataset: Dataset) -> Iterator[str]:
    """Yields a warning if classes have no test images."""
    without = np.flatnonzero(_counts(dataset, "test") == 0)
    if len(without):
        names = ", ".join(dataset.class_names[label] for label in without[:_MAX_SHOWN_CLASSES])
        more = ", ..." if len(without) > _MAX_SHOWN_CLASSES else ""
        yield (
            f"classes without test images, which are in no accuracy: {len(without):,} of "
            f"{dataset.num_classes:,}: {names}{more}"
        )


def unbalanced_test(dataset: Dataset) -> str:
    """Returns the imbalance of both splits if the test split's is that of training; else nothing.

    The frequencies of the classes in the test split are then nearer to those of training than to
    equal ones, by their total variation distance.
    """
    train, test = (_counts(dataset, split) for split in ("train", "test"))
    if train.max() < _MIN_IMBALANCE * max(1, train.min()):
        return ""
    tested = test / test.sum()
    equal = np.abs(tested - 1 / dataset.num_classes).sum()
    if np.abs(tested - train / train.sum()).sum() >= equal:
        return ""
    return (
        f"the test split is as unbalanced as the training split: {_range(test)} images a class, "
        f"and {_range(train)}"
    )


def prior_warning(dataset: Dataset, losses: Sequence[str]) -> Iterator[str]:
    """Yields a warning if losses for equally frequent classes are tested on unequal ones.

    Args:
        dataset: Data set.
        losses: Names of losses whose class prior is uniform.
    """
    unbalanced = unbalanced_test(dataset) if losses else ""
    if unbalanced:
        named = ", ".join(losses)
        what = f"loss {named} expects" if len(losses) == 1 else f"losses {named} expect"
        yield (
            f"{what} equally frequent classes, but {unbalanced}; overall accuracy is mostly that "
            "of the largest classes: compare mean-class accuracies, or test on equally many images "
            "of each class"
        )


def _counts(dataset: Dataset, split: str) -> NDArray[np.int64]:
    counts = np.bincount(dataset.splits[split].labels, minlength=dataset.num_classes)
    return counts.astype(np.int64)


def _range(counts: NDArray[np.int64]) -> str:
    return f"{counts.max():,} to {counts.min():,}"
