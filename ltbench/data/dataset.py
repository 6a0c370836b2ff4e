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
        labels: (N,) class ids.
    """

    images: ImageSource
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """Class names by class id, and the splits `train` and `test` (and `val` where there is one).

    Args:
        class_names: K names.
        splits: By name.
        published_counts: (K,) training images of each class before some were held out; None: none
            were.
        unreadable: Number of training images that were left out because they cannot be decoded.
        notes: Sentences on what makes results mean less than they seem to, such as images that
            were left out. They are shown as warnings and stored with the result.

    Raises:
        DataError: A split is missing or empty, or a label is outside of the classes.
    """

    class_names: tuple[str, ...]
    splits: Mapping[str, Split]
    published_counts: NDArray[np.int64] | None = None
    unreadable: int = 0
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
                    f"split {name} has {len(split.images)} images and {len(split)} labels"
                )
            if split.labels.min() < 0 or split.labels.max() >= self.num_classes:
                raise DataError(f"split {name} has a label outside of 0..{self.num_classes - 1}")

    @property
    def num_classes(self) -> int:
        """K."""
        return len(self.class_names)

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """(K,) images of each class that are trained on."""
        counts = np.bincount(self.splits["train"].labels, minlength=self.num_classes)
        return counts.astype(np.int64)

    @property
    def repeated_names(self) -> dict[str, list[int]]:
        """The names that several classes have, and the ids of these classes."""
        classes: dict[str, list[int]] = {}
        for label, name in enumerate(self.class_names):
            classes.setdefault(name, []).append(label)
        return {name: labels for name, labels in classes.items() if len(labels) > 1}

    @property
    def shot_counts(self) -> NDArray[np.int64]:
        """(K,) published training images of each class: they make it many-, medium- or few-shot."""
        return self.class_counts if self.published_counts is None else self.published_counts

    @property
    def held_out(self) -> int:
        """How many training images were held out for validation."""
        return int(self.shot_counts.sum() - self.class_counts.sum()) - self.unreadable
