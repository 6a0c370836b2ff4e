"""Reading of the JSON files in a run directory: checked once, as a whole, and typed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ltbench.config.runspec import RunSpec, hash_of
from ltbench.errors import DataError, shortened
from ltbench.io.json_text import parse_json
from ltbench.io.reading import read_regular
from ltbench.storage.migrations import SCHEMA, STEPS
from ltbench.storage.stored_file import StoredFile

AGAIN = "run it again with --overwrite always"
"""Hint for a file that cannot be used."""

_CHANGED = "run it again: the file was changed, or another version of ltbench wrote it"

F = TypeVar("F", bound=StoredFile)


def read_stored(directory: Path, model: type[F]) -> F | None:
    """Returns the typed content of a JSON file of any schema up to today's; None if it is missing.

    Args:
        directory: Run directory.
        model: Model of the file.

    Raises:
        DataError: The file is damaged, was edited, or is of a later schema.
    """
    path = directory / model.FILE
    stored = _read_object(path, model.LARGEST)
    if stored is None:
        return None
    schema = _schema(stored, path)
    written = stored.get("hash")
    if "run" in stored:
        _check_hash(path, stored)
    try:
        for step in STEPS[schema - 1 :]:
            stored = step(stored)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        key = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise DataError(
            f"{path} is not of schema {schema}: {shortened(key)}", hint=AGAIN
        ) from error
    if stored.get("hash") != written:
        stored["earlier_hash"] = written
    return _typed(model, stored, path)


def written_schema(directory: Path, model: type[StoredFile]) -> int:
    """Returns the schema in which a JSON file was written; 0 where it is missing.

    Args:
        directory: Run directory.
        model: Model of the file.

    Raises:
        DataError: The file is damaged, or is of a later schema.
    """
    path = directory / model.FILE
    stored = _read_object(path, model.LARGEST)
    return 0 if stored is None else _schema(stored, path)


def _read_object(path: Path, largest: int) -> dict[str, Any] | None:
    """Returns a JSON object; None where the file is missing.

    Raises:
        DataError: The file cannot be read, or holds something else.
    """
    try:
        stored = parse_json(read_regular(path, largest))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", hint=AGAIN) from error
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}", hint=AGAIN) from error
    if not isinstance(stored, dict):
        raise DataError(f"{path} was not written by ltbench", hint=AGAIN)
    return stored


def _schema(stored: Mapping[str, Any], path: Path) -> int:
    """Returns the schema of a JSON file.

    Raises:
        DataError: It has none, or a later one than today's.
    """
    schema = stored.get("schema")
    if type(schema) is not int or schema < 1:
        raise DataError(f"{path} was not written by ltbench", hint=AGAIN)
    if schema > SCHEMA:
        raise DataError(
            f"{path} has schema {shortened(str(schema))}: expected at most {SCHEMA}",
            hint="use the ltbench that wrote it, or a later one",
        )
    return schema


def _check_hash(path: Path, stored: Mapping[str, Any]) -> None:
    """Checks that a file has the hash of the run that it describes.

    Raises:
        DataError: It has another hash, or describes no run.
    """
    try:
        described = hash_of(stored["run"])
    except (AttributeError, TypeError) as error:
        raise DataError(f"{path} does not describe a run: {error}", hint=_CHANGED) from error
    if described != stored.get("hash"):
        raise DataError(f"{path} describes another run than its hash", hint=_CHANGED)


def _typed(model: type[F], content: Mapping[str, Any], path: Path) -> F:
    """Returns the content of a file of today's schema as its model.

    Raises:
        DataError: A value is missing, unknown, of another type, or out of its range.
    """
    values = {key: value for key, value in content.items() if key != "schema"}
    try:
        if "run" in values:
            values["run"] = RunSpec.from_dict(values["run"])
    except ValidationError as error:
        raise DataError(f"{path}: run{_first(error, '.')}", hint=AGAIN) from error
    except ValueError as error:
        raise DataError(f"{path}: run.{error}", hint=AGAIN) from error
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise DataError(f"{path}: {_first(error)}", hint=AGAIN) from error


def _first(error: ValidationError, prefix: str = "") -> str:
    """Returns the first fault of a validation: its key, what was expected, and what it got."""
    fault = error.errors(include_url=False)[0]
    key = shortened(".".join(map(str, fault["loc"])))
    place = f"{prefix}{key}" if key else ""
    if fault["type"] == "missing":
        return f"{place}: the key is missing"
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{place}: the key is unknown"
    if fault["type"] == "value_error":
        return f"{place}: {fault['ctx']['error']}" if place else str(fault["ctx"]["error"])
    expected = fault["msg"].replace("Input should be", "expected", 1)
    if fault["type"] in ("model_type", "dataclass_type"):
        expected = "expected an object"
    return f"{place}: {expected}, got {shortened(repr(fault['input']))}"
