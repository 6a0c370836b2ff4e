"""Features that were drawn, not computed, and their diagnosis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.diagnosis.class_statistics import ClassFeatures, FeatureStatistics
from ltbench.registry.registry import Registry
from ltbench.storage.diagnosis_schema import Diagnosis
from ltbench.storage.result_schema import RunResult
from ltbench.storage.run_directory import RunDirectory
from tests.runs import spec_of, store

COUNTS = np.array([200, 150, 60, 25, 12, 4])
WIDTH = 12


def unit(features: NDArray[np.float64]) -> NDArray[np.float64]:
    rows: NDArray[np.float64] = features / np.linalg.norm(features, axis=1, keepdims=True)
    return rows


def drawn(
    class_id: int,
    train: int,
    test: int = 20,
    *,
    shift: float = 0.0,
    seed: int = 0,
    width: int = WIDTH,
    predicted: int | None = None,
) -> ClassFeatures:
    """Draws features around the mean of a class.

    Args:
        class_id: The class.
        train: Number of train features.
        test: Number of test features.
        shift: Length by which the mean of the test features is moved.
        seed: Seed of the features.
        width: Length of a feature.
        predicted: Class that half of the test images are predicted as; None without a head.
    """
    generator = np.random.default_rng([seed, class_id])
    mean, away = generator.normal(size=(2, width))
    features = mean + generator.normal(size=(train + test, width))
    features[train:] += shift * away / np.linalg.norm(away)
    guesses = np.full(train + test, class_id)
    guesses[train : train + test // 2] = class_id if predicted is None else predicted
    known = predicted is not None
    return ClassFeatures(
        class_id,
        features[:train].astype(np.float32),
        features[train:].astype(np.float32),
        guesses[:train] if known else None,
        guesses[train:] if known else None,
    )


def stored_run(
    folder: Path, registry: Registry, counts: NDArray[np.int64] = COUNTS, **settings: object
) -> RunResult:
    """Writes a run that was never run, and returns its result."""
    return RunDirectory(store(folder, spec_of(registry, **settings), counts=counts)).finished()


def diagnosis_of(
    run: RunResult, *, shift: float = 0.0, seed: int = 0, head: bool = True
) -> Diagnosis:
    """Returns the diagnosis of drawn features of each class of a run."""
    statistics = FeatureStatistics(run, WIDTH, draws=50)
    for k, count in enumerate(run.classes.trained_on):
        predicted = 0 if head else None
        statistics.add(drawn(k, count, shift=shift, seed=seed, predicted=predicted))
    return statistics.diagnosis("run")
