"""Predictions of one run, or of all seeds of a cell, on the same test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.metrics import (
    DEFAULT_RULE,
    SHOT_GROUPS,
    SHOT_RULES,
    PredictionArrays,
    ShotRule,
)
from ltbench.errors import DataError


class IndexedPredictions(PredictionArrays, Protocol):
    """Predictions for N images, with the places of the images in their split."""

    @property
    def indices(self) -> NDArray[np.int64]:
        """(N,) indices into the split."""


@dataclass(frozen=True, eq=False)
class PooledPredictions:
    """Predictions of S seeds on the same N images of K classes.

    Args:
        class_names: K names, by class id.
        train_images: (K,) training images of each class, which decide its shot group.
        rule: Rule of the shot groups.
        indices: (N,) indices of the images in their split.
        labels: (N,) true classes.
        predicted: (S, N) predicted classes.
        confidence: (S, N) probabilities of the predicted classes, 0 to 1.
    """

    class_names: Sequence[str]
    train_images: NDArray[np.int64]
    rule: ShotRule
    indices: NDArray[np.int64]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        read: Sequence[IndexedPredictions],
        class_names: Sequence[str],
        train_images: Sequence[int] | NDArray[np.int64],
        rule: str = DEFAULT_RULE.name,
    ) -> PooledPredictions:
        """Joins the predictions of the seeds of a cell.

        Args:
            read: Predictions of each seed; at least one.
            class_names: K names, by class id.
            train_images: (K,) training images of each class.
            rule: Name of the rule of the shot groups; the default where a later version stored it.

        Raises:
            DataError: The seeds were tested on different images.
        """
        first = read[0]
        for other in read[1:]:
            if not np.array_equal(first.indices, other.indices) or not np.array_equal(
                first.labels, other.labels
            ):
                raise DataError(
                    "the seeds were not tested on the same images",
                    hint="look for corrupt images, which may have been skipped: ltbench data "
                    "verify",
                )
        return cls(
            class_names=class_names,
            train_images=np.asarray(train_images, dtype=np.int64),
            rule=SHOT_RULES.get(rule, DEFAULT_RULE),
            indices=first.indices,
            labels=first.labels,
            predicted=np.stack([each.predicted for each in read]),
            confidence=np.stack([each.confidence for each in read]),
        )

    @property
    def seeds(self) -> int:
        """Number of seeds S."""
        return len(self.predicted)

    @property
    def num_classes(self) -> int:
        """Number of classes K."""
        return len(self.train_images)

    @cached_property
    def wrong(self) -> NDArray[np.bool_]:
        """(S, N) whether each prediction is wrong."""
        found: NDArray[np.bool_] = self.predicted != self.labels
        return found

    @cached_property
    def test_images(self) -> NDArray[np.int64]:
        """(K,) number of test images of each class."""
        return np.bincount(self.labels, minlength=self.num_classes).astype(np.int64)

    @cached_property
    def group_of(self) -> NDArray[np.int64]:
        """(K,) shot group of each class, as an index into `SHOT_GROUPS`."""
        members = self.rule.groups(self.train_images)
        return np.select([members[name] for name in SHOT_GROUPS], range(len(SHOT_GROUPS)))

    @cached_property
    def rare_group(self) -> str:
        """Shot group with the fewest training images of those that have test images."""
        return SHOT_GROUPS[int(self.group_of[self.test_images > 0].max())]
