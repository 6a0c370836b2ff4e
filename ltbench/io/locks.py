"""Lock files: one process at a time, freed by the system whatever ends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ltbench.errors import BusyError, LTBenchError


@contextmanager
def hold_lock(path: Path, doing: str, denied: type[LTBenchError], option: str) -> Iterator[None]:
    """Holds a lock file for this process.

    Args:
        path: The file; the folders above it are made.
        doing: What the holder does, for messages: "running runs/...".
        denied: The error where the file cannot be written.
        option: What names another folder: "--out".

    Raises:
        BusyError: Another process holds it.
        LTBenchError: It cannot be written; of the type `denied`.
    """
    lock = FileLock(path, timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise BusyError(f"another process is {doing}", hint="wait for it, or stop it") from error
    except OSError as error:
        raise denied(
            f"{path.parent} cannot be written: {error.strerror or error}",
            hint=f"choose a folder that you may write to with {option}",
        ) from error
    try:
        yield
    finally:
        lock.release()
