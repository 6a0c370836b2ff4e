"""Atomic writes of the files in a run directory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ltbench.errors import RunError
from ltbench.io.files import replace_file


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all, into an existing folder.

    Raises:
        RunError: The file cannot be written: no space, no permission, no folder.
    """
    with writing(path):
        replace_file(path, content)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Converts errors of the file system in a block that writes a file.

    Args:
        path: Path of the file, for messages.

    Raises:
        RunError: The file cannot be written: no space, no permission, no folder.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise RunError(
            f"{path} cannot be written: {path.parent} was deleted or moved",
            hint="start the same command again",
        ) from error
    except OSError as error:
        raise RunError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="free space or change the permissions there, or write to another folder",
        ) from error


def make_folder(path: Path) -> None:
    """Creates a folder and those above it, where they are missing.

    Raises:
        RunError: It cannot be created, or exists and is not a folder.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise RunError(
            f"{path} exists but is not a directory", hint="move it away, or choose another folder"
        ) from error
    except OSError as error:
        raise RunError(
            f"{path} cannot be created: {error.strerror or error}",
            hint="choose a writable folder",
        ) from error


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes a JSON object atomically; NaN and infinity are refused."""
    write_atomically(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())
