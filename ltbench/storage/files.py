"""Atomic writes of the files in a run directory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ltbench.errors import RunError
from ltbench.io.files import replace_file


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all.

    Raises:
        RunError: The file cannot be written: no space, no permission.
    """
    try:
        replace_file(path, content)
    except OSError as error:
        raise RunError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="free space or change the permissions there, or write to another folder",
        ) from error


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes a JSON object atomically; NaN and infinity are refused."""
    write_atomically(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())
