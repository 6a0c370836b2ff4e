"""Statistics of the features of one class, and their sum over classes: the stored diagnosis.

Features are read class by class, and only those of one class are in memory. Besides them, there are
the K class means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.diagnosis.class_distances import MIN_FEATURES, class_distances
from ltbench.analysis.diagnosis.class_means import class_similarity
from ltbench.analysis.diagnosis.distance_histograms import DistanceHistograms
from ltbench.analysis.diagnosis.group_diagnosis import group_diagnoses
from ltbench.analysis.diagnosis.predicted_classes import error_columns
from ltbench.errors import NonFiniteLossError
from ltbench.storage.diagnosis_schema import (
    ACCURACY_MEASURES,
    CLASS_MEASURES,
    DISTANCES,
    ERROR_COLUMNS,
    ClassColumns,
    Diagnosis,
    Encoder,
    diagnosis_model,
    shot_rule_of,
)
from ltbench.storage.result_schema import RunResult

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 200
"""Random partitions of each class."""

MAX_FEATURES = 1024
"""Train features of a class, and test features, that enter its distances; more are drawn."""

_SEED = 0  # of the partitions and drawn images: two runs have the same on the same images
_COLUMNS = (
    *CLASS_MEASURES,
    *(f"{name}_floor" for name in DISTANCES),
    "energy_p",
    *ACCURACY_MEASURES,
    *ERROR_COLUMNS,
)


@dataclass(frozen=True)
class ClassFeatures:
    """Features of the images of one class.

    Args:
        class_id: The class.
        train: (n, width) features of the images that were trained on.
        test: (m, width) features of the evaluated images.
        train_predicted: (n,) predicted classes; None without a head.
        test_predicted: (m,) predicted classes; None without a head.
    """

    class_id: int
    train: NDArray[np.float32]
    test: NDArray[np.float32]
    train_predicted: Ints | None = None
    test_predicted: Ints | None = None


class FeatureStatistics:
    """Statistics of the features of a run, class by class.

    A class with more than `max_features` train or test images has distances between as many of them
    as that, drawn at random by a fixed seed; its means, histograms and accuracies are of all.

    Args:
        run: Result of the run.
        width: Length of a feature.
        draws: Random partitions of each class.
        max_features: Train features of a class, and test features, that enter its distances.
    """

    def __init__(
        self,
        run: RunResult,
        width: int,
        draws: int = DRAWS,
        max_features: int = MAX_FEATURES,
    ) -> None:
        self._run = run
        self._draws, self._max_features = draws, max_features
        self._train_images = np.array(run.classes.train_images, dtype=np.int64)
        self._groups = shot_rule_of(run).groups(self._train_images)
        classes = len(self._train_images)
        self._columns = {name: np.full(classes, np.nan) for name in _COLUMNS}
        self._train_features, self._test_images = np.zeros((2, classes), dtype=np.int64)
        self._directions = np.zeros((classes, width))
        self._histograms = DistanceHistograms()
        self._labels: list[Ints] = []
        self._predicted: list[Ints] = []

    def add(self, one: ClassFeatures) -> None:
        """Adds the features of a class; each class is added once at most.

        Args:
            one: Features and predictions of its images.

        Raises:
            NonFiniteLossError: A feature is NaN or infinite.
        """
        k = one.class_id
        name = self._run.classes.names[k]
        train, test = _unit_rows(one.train, name), _unit_rows(one.test, name)
        self._train_features[k], self._test_images[k] = len(train), len(test)
        mean = test.sum(axis=0)
        self._directions[k] = mean / max(float(np.linalg.norm(mean)), 1e-12)
        self._set(k, "intra_train", intra_distance(train))
        self._set(k, "intra_test", intra_distance(test))
        if len(train):
            own = 1 - float(np.linalg.norm(train.sum(axis=0))) / len(train)
            self._set(k, "intra_train_own", own)
        group = next(name for name, members in self._groups.items() if members[k])
        self._histograms.add(group, train, test)
        self._add_distances(k, train, test)
        if one.train_predicted is not None and len(train):
            self._set(k, "train_accuracy", 100 * float((one.train_predicted == k).mean()))
        if one.test_predicted is not None and len(test):
            self._set(k, "test_accuracy", 100 * float((one.test_predicted == k).mean()))
            self._labels.append(np.full(len(test), k, dtype=np.int64))
            self._predicted.append(one.test_predicted.astype(np.int64))

    def _add_distances(self, k: int, train: Floats, test: Floats) -> None:
        if min(len(train), len(test)) < MIN_FEATURES:
            return
        generator = np.random.default_rng([_SEED, k])
        train, test = (self._drawn(part, generator) for part in (train, test))
        found = class_distances(train, test, self._draws, generator)
        for name in DISTANCES:
            self._set(k, name, found.found[name])
            self._set(k, f"{name}_floor", found.floor[name])
        self._set(k, "energy_p", found.energy_p)

    def _drawn(self, features: Floats, generator: np.random.Generator) -> Floats:
        if len(features) <= self._max_features:
            return features
        return features[generator.choice(len(features), self._max_features, replace=False)]

    def _set(self, k: int, name: str, value: float) -> None:
        self._columns[name][k] = value

    def diagnosis(
        self, encoder: Encoder, *, skipped_train: int = 0, skipped_test: int = 0
    ) -> Diagnosis:
        """Returns the diagnosis of all classes that were added.

        Args:
            encoder: Encoder of the features.
            skipped_train: Train images that could not be decoded.
            skipped_test: Test images that could not be decoded.
        """
        run = self._run
        if self._labels:
            found = error_columns(
                np.concatenate(self._labels),
                np.concatenate(self._predicted),
                np.array(run.classes.trained_on, dtype=np.int64),
                self._groups["many"],
            )
            tested = self._test_images > 0
            self._columns |= {key: np.where(tested, one, np.nan) for key, one in found.items()}
        return diagnosis_model(encoder)(
            hash=run.hash,
            encoder=encoder,
            views="plain",
            split=run.spec.split,
            shot_rule=run.metrics.shot_rule,
            width=self._directions.shape[1],
            draws=self._draws,
            max_features=self._max_features,
            skipped_train=skipped_train,
            skipped_test=skipped_test,
            classes=ClassColumns(
                train_images=self._train_images.tolist(),
                train_features=self._train_features.tolist(),
                test_images=self._test_images.tolist(),
                **_nullable(self._columns),
            ),
            similarity=class_similarity(
                self._directions, self._test_images > 0, self._train_images, self._groups
            ),
            histograms=self._histograms.content(),
            groups=group_diagnoses(
                {**self._columns, "test_images": self._test_images.astype(float)}, self._groups
            ),
        )


def intra_distance(features: Floats) -> float:
    """Returns the distance of the features of a class to their mean; NaN for fewer than two.

    The mean over pairs of different features of their inner product estimates the squared length of
    the mean of all such features without bias, and the mean cosine of features of length 1 to their
    mean is this length. So the number of features does not matter.

    Args:
        features: (n, width) features of length 1.
    """
    n = len(features)
    if n < MIN_FEATURES:
        return float("nan")
    total = features.sum(axis=0)
    cosine = (float(total @ total) - float((features**2).sum())) / (n * (n - 1))
    return 1 - float(np.sqrt(min(max(cosine, 0.0), 1.0)))


def _unit_rows(features: NDArray[np.float32], name: str) -> Floats:
    """Returns features with length 1; those of length 0 stay.

    Raises:
        NonFiniteLossError: A feature is NaN or infinite.
    """
    rows = features.astype(np.float64)
    if not np.isfinite(rows).all():
        raise NonFiniteLossError(
            f"some features of class '{name}' are not finite: the training has diverged",
            hint="train with a smaller learning rate",
        )
    scaled: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return scaled


def _nullable(columns: Mapping[str, Floats]) -> dict[str, list[float | None]]:
    """Returns columns as lists, with None instead of NaN."""
    return {
        name: [None if np.isnan(value) else float(value) for value in column]
        for name, column in columns.items()
    }
