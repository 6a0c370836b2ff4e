"""Checks that stored predictions belong to the result in the same run directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltbench.analysis.metrics import DEFAULT_RULE, SHOT_RULES, accuracies, calibration_error
from ltbench.config.runspec import RunSpec
from ltbench.errors import DataError
from ltbench.storage.predictions import (
    PredictedClasses,
    Predictions,
    inference_of,
    predictions_name,
    recomputed_hint,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROUNDING_PERCENT = 1e-6  # one image of a million weighs a hundred times as much


def check_predictions(
    path: Path,
    predictions: Predictions | PredictedClasses,
    spec: RunSpec,
    hashes: Sequence[str],
    train_images: Sequence[int],
    metrics: Mapping[str, Any],
) -> None:
    """Checks that predictions are those that a result was computed from.

    Args:
        path: Path of the file, whose name contains the inference.
        predictions: Content of the file.
        spec: Choices of the run.
        hashes: Hash of the run, and the hash in a file of an earlier schema.
        train_images: (K,) training images of each class.
        metrics: Metrics of the result, by their keys in `result.json`.

    Raises:
        DataError: The predictions are of another run, inference or split, or of other classes, or
            give other accuracies than the result has.
    """
    import numpy as np

    about = predictions.about
    own = path.name == predictions_name(spec.inference.name)
    expected: dict[str, Sequence[str]] = {
        "hash": hashes,
        "inference": [inference_of(path)],
        "split": [spec.split],
    }
    if not own and "format" not in about:
        del expected["hash"]  # files without a format have the hash of the other inference
    for key, values in expected.items():
        if key in about and about[key] not in values:
            raise DataError(
                f"the predictions {path} are of another run: expected {key} "
                f"{' or '.join(values)}, got {about[key]}",
                hint=recomputed_hint(path),
            )
    counts = np.array(train_images)
    images = metrics["test_images"]
    if own and len(predictions.labels) != images:
        raise DataError(
            f"the predictions {path} are of {len(predictions.labels)} images, expected {images}",
            hint=recomputed_hint(path),
        )
    highest = max(int(predictions.labels.max()), int(predictions.predicted.max()))
    if highest >= len(counts):
        raise DataError(
            f"the predictions {path} are of other classes: expected {len(counts)}, got class "
            f"{highest}",
            hint=recomputed_hint(path),
        )
    if own:
        _check_accuracies(path, predictions, metrics, counts)


def _check_accuracies(
    path: Path,
    predictions: Predictions | PredictedClasses,
    metrics: Mapping[str, Any],
    counts: NDArray[np.int64],
) -> None:
    """Checks that predictions give the accuracies of a result.

    Raises:
        DataError: An accuracy differs.
    """
    rule = SHOT_RULES.get(metrics["shot_rule"], DEFAULT_RULE)
    found, each = accuracies(predictions.labels, predictions.predicted, counts, rule)
    if rule.name != metrics["shot_rule"]:  # a rule of a later version
        found = {name: found[name] for name in ("accuracy", "mean_class")}
    if isinstance(predictions, Predictions):
        found["ece"] = calibration_error(predictions)
    for name, value in found.items():
        stored = metrics[name]
        if not _close(stored, value):
            raise DataError(
                f"{path.parent}: its predictions and its result contradict each other: {name} "
                f"{_percent(value)} of {path.name}, {_percent(stored)} in result.json",
                hint="run it again with --overwrite always",
            )
    if not _same_classes(metrics["per_class"], each):
        raise DataError(
            f"{path.parent}: its predictions and its result contradict each other: accuracies of "
            f"classes of {path.name} are not those in result.json",
            hint="run it again with --overwrite always",
        )


def _same_classes(stored: list[float | None], each: NDArray[np.float64]) -> bool:
    """Returns whether two lists of class accuracies agree; None stands for NaN."""
    import numpy as np

    values = np.array(stored, dtype=np.float64)
    if values.shape != each.shape:
        return False
    unlike = np.abs(values - each) > _ROUNDING_PERCENT  # false where one of them is NaN
    return not unlike.any() and bool((np.isnan(values) == np.isnan(each)).all())


def _close(first: float | None, second: float | None) -> bool:
    """Returns whether two percentages agree; None agrees with None alone."""
    if first is None or second is None:
        return first is second
    return abs(first - second) <= _ROUNDING_PERCENT


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f} %"
