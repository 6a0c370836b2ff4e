"""Stored runs that were never run: results and predictions as a run writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.config.resolve import resolve
from ltbench.config.runspec import RunSpec
from ltbench.registry.registry import Registry
from ltbench.storage.environment_schema import Environment
from ltbench.storage.predictions import Predictions
from ltbench.storage.result_schema import (
    Classes,
    EvaluationRecord,
    LearnedParameters,
    Metrics,
    RunDescription,
    RunResult,
    SelectionRecord,
    TrainingRecord,
)
from ltbench.storage.run_directory import RunDirectory

COUNTS = np.array([150, 120, 60, 30, 8, 4])
PER_CLASS = 20
ENVIRONMENT = Environment(
    command=["ltbench", "run"],
    python="3.11.0",
    platform="Linux",
    packages={},
    plugins=[],
    weights="",
    device="cpu",
    threads=1,
    precision="fp32",
    precision_reason="chosen",
    ranks=1,
    devices=["cpu"],
    backend=None,
)
UNTRAINED: dict[str, Any] = {
    "training": {"epochs": 0},
    "selection": {"epoch": None, "epochs": 0},
    "learned": {"total": 0, "encoder": 0, "head": 0, "percent": 0.0},
}
"""Changes of a result that make it that of a run without learned parameters."""
NOTHING = {"epoch": None, "epochs": 0}
"""Selection of a run that trains nothing."""


def spec_of(registry: Registry, **settings: Any) -> RunSpec:
    """Resolves a run; a dot in a key is written as two underscores."""
    keys = {key.replace("__", "."): value for key, value in settings.items()}
    return resolve(registry, keys, Path("data")).spec


def store(
    out: Path,
    spec: RunSpec,
    *,
    skill: float = 1.0,
    counts: NDArray[np.int64] = COUNTS,
    labels: NDArray[np.int64] | None = None,
    changed: Mapping[str, Any] | None = None,
    images: Sequence[str] | None = None,
    noise_seed: int | None = None,
) -> Path:
    """Writes a finished run and returns its directory.

    Args:
        out: Folder of the run directories.
        spec: What was run.
        skill: How far above the images' difficulty its margins are, on average.
        counts: (K,) training images of the classes.
        labels: (N,) of the test images; as many of each class where None.
        changed: Other values of some fields of the result.
        images: (N,) names of the test images; not stored where None.
        noise_seed: Seed of the predictions; that of the run where None.
    """
    labels = np.repeat(np.arange(len(counts)), PER_CLASS) if labels is None else labels
    easiness = np.random.default_rng(0).normal(size=len(labels))
    drawn_by = spec.seed if noise_seed is None else noise_seed
    noise = np.random.default_rng([drawn_by, *spec.method.name.encode()]).normal(size=len(labels))
    right = easiness + 0.5 * noise + skill > 0
    top = np.where(right, labels, (labels + 1) % len(counts))
    classes = np.stack([top, (top + 2) % len(counts)], axis=1)
    logits = np.tile(np.array([2.0, 0.0], np.float32), (len(labels), 1))
    predictions = Predictions(
        np.arange(len(labels)), labels, classes, logits, np.full(len(labels), 2.2, np.float32)
    )
    directory = RunDirectory.of(out, spec)
    directory.begin(RunDescription.of(spec))
    about = {"hash": spec.hash, "inference": spec.inference.name, "split": spec.split}
    predictions.write(directory.predictions(spec.inference, spec.inference), about, images)
    result = result_of(spec, Metrics.of(predictions, counts), counts, directory.path)
    directory.write(altered(result, changed or {}))
    return directory.path


def altered(result: RunResult, changed: Mapping[str, Any]) -> RunResult:
    """Returns a result with other values: of a field, or by name within a part of the result."""
    parts = {
        name: getattr(result, name).model_copy(update=value) if isinstance(value, dict) else value
        for name, value in changed.items()
    }
    return result.model_copy(update=parts)


def result_of(
    spec: RunSpec, metrics: Metrics, counts: NDArray[np.int64], directory: Path
) -> RunResult:
    """Returns the result of a run that was never run."""
    return RunResult(
        hash=spec.hash,
        run=spec,
        metrics=metrics,
        classes=Classes(
            names=[f"class {number}" for number in range(len(counts))],
            train_images=counts.tolist(),
            trained_on=counts.tolist(),
        ),
        learned=LearnedParameters(total=10, encoder=4, head=6, backbone=1000, percent=1.0),
        training=TrainingRecord(epochs=2, seconds=3.5, images_per_second=100.0, skipped_images=0),
        selection=SelectionRecord(
            rule=spec.select,
            epoch=1,
            epochs=2,
            criterion=None,
            scores=[] if spec.select == "last" else [50.0, 60.0],
            val_images=0,
            held_out=False,
            seconds=0.0,
            skipped_images=0,
        ),
        refinement=None,
        evaluation=EvaluationRecord(
            inference=spec.inference.name,
            split=spec.split,
            seconds=0.5,
            images_per_second=40.0,
            skipped_images=0,
        ),
        environment=ENVIRONMENT,
        warnings=[],
        peak_memory_mb=300.0,
        silenced_plugins={},
        directory=str(directory),
    )
