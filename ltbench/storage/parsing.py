"""Checks of the content of stored JSON files against their models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ltbench.config.runspec import RunSpec
from ltbench.errors import DataError
from ltbench.storage.result_schema import Classes, RunResult, StoredFile

AGAIN = "run it again with --overwrite always"
"""Hint for a file that cannot be used."""

_MAX_SHOWN_CHARACTERS = 60

F = TypeVar("F", bound=StoredFile)


def parse(model: type[F], content: Mapping[str, Any], path: Path) -> F:
    """Returns the typed content of a stored file.

    Args:
        model: Model of the file.
        content: JSON object in the form of today's schema.
        path: Path of the file, for the error.

    Raises:
        DataError: A value is missing, has another type, or is out of its range.
    """
    values = {key: value for key, value in content.items() if key != "schema"}
    try:
        if "run" in values:
            values["run"] = RunSpec.from_dict(values["run"])
    except ValidationError as error:
        raise DataError(f"{path}: run{_first(error, '.')}", hint=AGAIN) from error
    try:
        parsed = model.model_validate(values)
    except ValidationError as error:
        raise DataError(f"{path}: {_first(error)}", hint=AGAIN) from error
    if isinstance(parsed, RunResult):
        _check_sizes(parsed.classes, path)
    return parsed


def _check_sizes(classes: Classes, path: Path) -> None:
    sizes = {key: len(getattr(classes, key)) for key in ("names", "train_images", "trained_on")}
    if len(set(sizes.values())) > 1:
        got = ", ".join(f"{size} {key}" for key, size in sizes.items())
        raise DataError(f"{path}: classes: expected lists of one length, got {got}", hint=AGAIN)


def _first(error: ValidationError, prefix: str = "") -> str:
    """Returns the first fault of a validation: its key, what was expected, and what it got."""
    fault = error.errors()[0]
    key = ".".join(map(str, fault["loc"]))
    place = f"{prefix}{key}" if key else ""
    if fault["type"] == "missing":
        return f"{place}: the key is missing"
    expected = fault["msg"].replace("Input should be", "expected", 1)
    if fault["type"] == "model_type":
        expected = "expected an object"
    got = repr(fault["input"])
    shown = got if len(got) <= _MAX_SHOWN_CHARACTERS else f"{got[:_MAX_SHOWN_CHARACTERS]}..."
    return f"{place}: {expected}, got {shown}"
