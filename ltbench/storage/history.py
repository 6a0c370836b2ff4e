"""`history.jsonl`: one JSON object for each epoch of a training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ltbench.errors import DataError
from ltbench.storage.files import write_atomically

FILE = "history.jsonl"
_HINT = "start the run again with --overwrite always"


def read_history(directory: Path) -> list[dict[str, Any]]:
    """Returns one row for each trained epoch; an empty list where the file does not exist.

    Args:
        directory: Run directory.

    Raises:
        DataError: The file cannot be read, or does not hold one JSON object in each line.
    """
    path = directory / FILE
    try:
        rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read: {error}", hint=_HINT) from error
    if not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path}: expected one JSON object in each line", hint=_HINT)
    return rows


def write_history(directory: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes all rows atomically.

    Args:
        directory: Run directory.
        rows: One row for each epoch, in the order of the epochs.
    """
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    write_atomically(directory / FILE, lines.encode())
