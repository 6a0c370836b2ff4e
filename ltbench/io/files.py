"""Atomic writing of files."""

from __future__ import annotations

import os
from pathlib import Path

from ltbench.io.interrupts import deferred


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file atomically, and creates the folders above it.

    Args:
        path: The file.
        content: New content.

    Raises:
        OSError: The file cannot be written; its previous content is kept.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with deferred():
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
