"""Check of a finished run against its own files: everything that can be computed again is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from ltbench.analysis.metrics import INTERVAL_METHOD, SHOT_RULES
from ltbench.errors import DataError, shortened
from ltbench.storage.diagnosis_schema import Encoder, read_diagnosis
from ltbench.storage.environment_schema import Environment
from ltbench.storage.image_names import read_names
from ltbench.storage.pack_format import PREDICTIONS
from ltbench.storage.parsing import read_stored
from ltbench.storage.predictions import Predictions
from ltbench.storage.result_schema import Metrics, RunResult
from ltbench.storage.run_directory import RunDirectory
from ltbench.storage.tags import read_tags

_ROUNDING_PERCENT = 1e-6


def check_run(directory: RunDirectory) -> RunResult:
    """Checks a finished run: its hash, its files, and its metrics, which are computed again.

    The hash must be that of the choices; `spec.json` must describe the same run; the history must
    have the trained epochs; each file of predictions must have its checksums and belong to the run,
    as each diagnosis must; those of the run's own inference must give every stored metric.

    Args:
        directory: Run directory.

    Returns:
        The result.

    Raises:
        DataError: A file is missing, damaged or of another run, or metrics differ.
    """
    result = directory.finished()
    described = directory.describe()
    if described.hash != result.hash:
        raise DataError(
            f"{directory.path}: spec.json describes run {described.hash}, result.json "
            f"{result.hash}",
            hint=_HINT,
        )
    result.history()
    read_stored(directory.path, Environment)
    read_tags(directory.path)
    for encoder in get_args(Encoder):
        read_diagnosis(result, encoder)
    own = result.predictions()
    for path in sorted(directory.path.glob(PREDICTIONS)):
        read_names(path)
        name = path.stem.removeprefix("predictions-")
        if name != result.spec.inference.name:
            result.predictions(name)
    _check_metrics(directory, result, own)
    return result


_HINT = "run it again with --overwrite always, or fetch it again from where it was published"


def _check_metrics(directory: RunDirectory, result: RunResult, own: Predictions) -> None:
    """Checks that the metrics of a result are those of its predictions.

    Raises:
        DataError: A metric differs.
    """
    rule = SHOT_RULES.get(result.metrics.shot_rule)
    if rule is None:
        raise DataError(
            f"{directory.path}: shot rule {shortened(result.metrics.shot_rule)} is unknown",
            hint="use the ltbench that wrote it, or a later one",
        )
    counts = np.array(result.classes.train_images, dtype=np.int64)
    found = Metrics.of(own, counts, rule).model_dump()
    stored = result.metrics.model_dump()
    if stored["interval_method"] != INTERVAL_METHOD:  # intervals of an earlier method
        for values in (found, stored):
            del values["intervals"], values["interval_method"]
    for key, value in found.items():
        if not _close(stored[key], value):
            raise DataError(
                f"{directory.path}: {key} in result.json is not that of its predictions: expected "
                f"{_shown(value)}, got {_shown(stored[key])}",
                hint=_HINT,
            )


def _close(stored: Any, value: Any) -> bool:
    """Returns whether two metrics, or lists or tables of metrics, are equal up to rounding."""
    if isinstance(value, Mapping):
        # A later version may store accuracies that this one does not compute.
        return all(name in stored and _close(stored[name], one) for name, one in value.items())
    if isinstance(value, list | tuple) and isinstance(stored, list | tuple):
        return len(stored) == len(value) and all(map(_close, stored, value))
    if isinstance(value, float) and isinstance(stored, float | int):
        return abs(stored - value) <= _ROUNDING_PERCENT
    return bool(stored == value)


def _shown(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else shortened(str(value))
