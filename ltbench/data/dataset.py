"""A data set: class names and splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.data.images import ImageSource
from ltbench.errors import DataError


@dataclass(frozen=True)
class Split:
    """Images and their labels.

    Args:
        images: N images.
        labels: Class ids, (N,).
    """

    images: ImageSource
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """Class names by class id, and the splits `train`, `test` and, for some data sets, `val`.

    Args:
        class_names: Names of the K classes.
        splits: Splits by name.
        published_counts: Training images of each class before the hold-out and the limit of a quick
            look, (K,); None without both.
        unreadable: Number of training images left out because they cannot be decoded.
        left_out: Number of training images left out by the limit of a quick look.
        notes: Sentences on facts that limit what results mean, such as images left out. They are
            shown as warnings and stored with the result.

    Raises:
        DataError: A split is missing or empty, or a label is outside of the classes.
    """

    class_names: tuple[str, ...]
    splits: Mapping[str, Split]
    published_counts: NDArray[np.int64] | None = None
    unreadable: int = 0
    left_out: int = 0
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in dict.fromkeys(("train", "test", *self.splits)):
            if name not in self.splits or len(self.splits[name]) == 0:
                raise DataError(
                    f"the data set has no images in its {name} split", hint="check its split lists"
                )
        for name, split in self.splits.items():
            if len(split.images) != len(split):
                raise DataError(
                    f"split {name}: expected one label per image, got {len(split.images)} images "
                    f"and {len(split)} labels"
                )
            if split.labels.min() < 0 or split.labels.max() >= self.num_classes:
                raise DataError(f"split {name} has a label outside 0..{self.num_classes - 1}")

    @property
    def num_classes(self) -> int:
        """Number of classes K."""
        return len(self.class_names)

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """Training images of each class, (K,)."""
        counts = np.bincount(self.splits["train"].labels, minlength=self.num_classes)
        return counts.astype(np.int64)

    @property
    def repeated_names(self) -> dict[str, list[int]]:
        """Names that several classes share, with the ids of these classes."""
        classes: dict[str, list[int]] = {}
        for label, name in enumerate(self.class_names):
            classes.setdefault(name, []).append(label)
        return {name: labels for name, labels in classes.items() if len(labels) > 1}

    @property
    def shot_counts(self) -> NDArray[np.int64]:
        """Published training images of each class, (K,), which decide its shot group."""
        return self.class_counts if self.published_counts is None else self.published_counts

    @property
    def held_out(self) -> int:
        """Number of training images held out for validation."""
        missing = int(self.shot_counts.sum() - self.class_counts.sum())
        return missing - self.unreadable - self.left_out
