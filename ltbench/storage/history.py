"""`history.jsonl`: one JSON object for each epoch of a training."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Lt
from pydantic import ConfigDict, TypeAdapter, ValidationError

from ltbench.config.runspec import OptionName
from ltbench.errors import DataError
from ltbench.io.json_text import parse_json
from ltbench.io.reading import read_regular
from ltbench.storage.files import write_atomically

FILE = "history.jsonl"
LARGEST = 2**26  # 300,000 epochs
_HINT = "start the run again with --overwrite always"

_Integer = Annotated[int, Ge(-(2**63)), Lt(2**63)]
HistoryRow = dict[OptionName, float | _Integer | bool | str | None]
"""Values of an epoch by name: epoch, loss, lr, seconds, images_per_second, ..."""


def read_history(directory: Path, epochs: int | None = None) -> list[HistoryRow]:
    """Returns one row for each trained epoch; an empty list where the file does not exist.

    Args:
        directory: Run directory.
        epochs: Number of trained epochs, if the run is finished.

    Raises:
        DataError: The file cannot be read, does not hold one JSON object of numbers and texts in
            each line, or has another number of them.
    """
    path = directory / FILE
    try:
        lines = read_regular(path, LARGEST).splitlines()
        rows = read_rows([parse_json(line) for line in lines])
    except FileNotFoundError:
        return []
    except ValidationError as error:
        line = error.errors(include_url=False)[0]["loc"][0]
        raise DataError(
            f"{path}: line {int(line) + 1}: expected one JSON object of numbers and texts",
            hint=_HINT,
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}", hint=_HINT) from error
    if epochs is not None and len(rows) != epochs:
        raise DataError(f"{path}: expected {epochs} epochs, got {len(rows)}", hint=_HINT)
    return rows


def read_rows(stored: object) -> list[HistoryRow]:
    """Returns rows that were stored as JSON.

    Args:
        stored: JSON value.

    Raises:
        ValueError: It is no list of objects of numbers and texts.
    """
    return _reader().validate_python(stored)


def write_history(directory: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes all rows atomically.

    Args:
        directory: Run directory.
        rows: One row for each epoch, in the order of the epochs.
    """
    lines = "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)
    write_atomically(directory / FILE, lines.encode())


@functools.cache
def _reader() -> TypeAdapter[list[HistoryRow]]:
    return TypeAdapter(list[HistoryRow], config=ConfigDict(strict=True, allow_inf_nan=False))
