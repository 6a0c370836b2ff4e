"""Lock files, which the operating system releases when a process ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ltbench.errors import BusyError, LTBenchError
from ltbench.io.interrupts import check

_POLL_SECONDS = 0.2  # between checks for an interruption


@contextmanager
def wait_for_lock(path: Path) -> Iterator[None]:
    """Holds a lock file, and waits until no other process holds it.

    Args:
        path: Lock file, in an existing folder.

    Raises:
        Interrupted: A signal arrived while the lock was held by another process.
        OSError: The file cannot be written.
    """
    lock = FileLock(path)
    while not lock.is_locked:
        check()
        with suppress(Timeout):
            lock.acquire(timeout=_POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def hold_lock(path: Path, doing: str, denied: type[LTBenchError], option: str) -> Iterator[None]:
    """Holds a lock file for this process.

    Args:
        path: Lock file; the folders above it are created.
        doing: Activity of the holder, for messages: "running runs/...".
        denied: Type of the error where the file cannot be written.
        option: Option that chooses another folder, for hints: "--out".

    Raises:
        BusyError: Another process holds the lock.
        LTBenchError: The file cannot be written; of the type `denied`.
    """
    lock = FileLock(path, timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise BusyError(f"another process is {doing}", hint="wait until it ends") from error
    except OSError as error:
        raise denied(
            f"{path.parent} cannot be written: {error.strerror or error}",
            hint=f"choose a writable folder with {option}",
        ) from error
    try:
        yield
    finally:
        lock.release()
