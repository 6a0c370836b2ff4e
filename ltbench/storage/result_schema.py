"""Checks of what a run stored: the values of `result.json`, and predictions beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le, MinLen
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from ltbench.analysis.metrics import DEFAULT_RULE, SHOT_RULES, accuracies, calibration_error
from ltbench.errors import DataError
from ltbench.storage.predictions import Answers, Predictions

_ROUNDING_PERCENT = 1e-6  # an image of a million counts a hundred times as much

Percent = Annotated[float, Ge(0), Le(100.000001)]  # a mean of hundreds is rounded
Amount = Annotated[float, Ge(0)]
Count = Annotated[int, Ge(0)]


class _Strict(BaseModel):
    """Of exactly these types; there may be more keys."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class Metrics(_Strict):
    """Accuracies in percent; None for a shot group without classes."""

    accuracy: Percent
    mean_class: Percent
    many: Percent | None
    medium: Percent | None
    few: Percent | None
    ece: Percent
    shot_rule: str


class Classes(_Strict):
    """(K,) each."""

    names: Annotated[list[str], MinLen(1)]
    train_images: Annotated[list[Count], MinLen(1)]
    trained_on: Annotated[list[Count], MinLen(1)]


class Learned(_Strict):
    """Parameters that got gradients."""

    total: Count
    percent: Amount


class Training(_Strict):
    """How training went."""

    epochs: Count
    seconds: Amount
    images_per_second: Amount | None


class Refinement(_Strict):
    """How the second stage went."""

    seconds: Amount


class Environment(_Strict):
    """What it ran in."""

    command: list[str] = []
    precision: str | None = None
    device: str | None = None
    packages: dict[str, str | None] = {}


class Result(_Strict):
    """A finished run."""

    metrics: Metrics
    classes: Classes
    learned: Learned
    training: Training
    refinement: Refinement | None
    environment: Environment
    peak_memory_mb: Amount


def check_result(result: Mapping[str, Any]) -> None:
    """Checks that the numbers of a result are numbers, and such as there can be.

    Args:
        result: What `result.json` holds, as today's schema has it.

    Raises:
        DataError: With the first key that is wrong.
    """
    try:
        Result.model_validate(result)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise DataError(f"its {key} is wrong: {first['msg'].lower()}") from error
    sizes = {key: len(result["classes"][key]) for key in ("names", "train_images", "trained_on")}
    if len(set(sizes.values())) > 1:
        said = ", ".join(f"{size} {key}" for key, size in sizes.items())
        raise DataError(f"its classes do not fit together: {said}")


def check_predictions(
    path: Path, predictions: Predictions | Answers, result: Mapping[str, Any]
) -> None:
    """Checks that predictions are those that a result was made of.

    Args:
        path: Of their file, whose name tells the inference.
        predictions: As read.
        result: What `result.json` holds, as today's schema has it.

    Raises:
        DataError: They are of another run, inference or split, of other classes, or give other
            accuracies than the result has.
    """
    about, run = predictions.about, result["run"]
    inference = path.stem.removeprefix("predictions-").partition("-")[0]
    own = path.stem == f"predictions-{run['inference']['name']}"
    expected = {
        "hash": [result["hash"], *([result["earlier_hash"]] if "earlier_hash" in result else [])],
        "inference": [inference],
        "split": [run.get("split", "test")],
    }
    if not own and "format" not in about:
        del expected["hash"]  # files without one had the hash of another inference
    for key, values in expected.items():
        if key in about and about[key] not in values:
            raise DataError(
                f"the predictions {path} are of another run: expected {key} "
                f"{' or '.join(values)}, got {about[key]}",
                hint="delete the file, and `ltbench eval` makes it again",
            )
    counts = np.array(result["classes"]["train_images"])
    highest = max(int(predictions.labels.max()), int(predictions.predicted.max()))
    if highest >= len(counts):
        raise DataError(
            f"the predictions {path} are of other classes: expected {len(counts)}, got class "
            f"{highest}",
            hint="delete the file, and `ltbench eval` makes it again",
        )
    if own:
        _check_accuracies(path, predictions, result["metrics"], counts)


def _check_accuracies(
    path: Path,
    predictions: Predictions | Answers,
    metrics: Mapping[str, Any],
    counts: NDArray[np.int64],
) -> None:
    """Checks that predictions give the accuracies of a result.

    Raises:
        DataError: With the first that they do not give.
    """
    rule = SHOT_RULES.get(metrics["shot_rule"], DEFAULT_RULE)
    found, each = accuracies(predictions.labels, predictions.predicted, counts, rule)
    if rule.name != metrics["shot_rule"]:  # of a later version, or of a plugin
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
    if not _same_classes(metrics.get("per_class"), each):
        raise DataError(
            f"{path.parent}: its predictions and its result contradict each other: accuracies of "
            f"classes of {path.name} are not those in result.json",
            hint="run it again with --overwrite always",
        )


def _same_classes(stored: Any, each: NDArray[np.float64]) -> bool:
    """Returns whether accuracies of classes, None for one without test images, are these."""
    if stored is None:
        return True
    try:
        values = np.array(stored, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    if values.shape != each.shape:
        return False
    unlike = np.abs(values - each) > _ROUNDING_PERCENT  # false where one of them is NaN
    return not unlike.any() and bool((np.isnan(values) == np.isnan(each)).all())


def _close(first: float | None, second: float | None) -> bool:
    """Returns whether two percentages agree, None with None alone."""
    if first is None or second is None:
        return first is second
    return abs(first - second) <= _ROUNDING_PERCENT


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f} %"
