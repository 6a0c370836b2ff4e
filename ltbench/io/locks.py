"""Lock files, which the operating system releases when a process ends."""

from __future__ import annotations

import errno
import functools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ltbench.errors import BusyError, LTBenchError
from ltbench.io.interrupts import check

_POLL_SECONDS = 0.2  # between checks for an interruption
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK})


@functools.cache
def has_locks(folder: Path) -> bool:
    """Returns whether the file system of a folder has file locks (`flock`).

    Lustre without its mount option `flock` has none. `filelock` then writes lock files that stay
    for ever where the process that holds them is killed on another machine.

    Args:
        folder: Folder that files can be written to.

    Raises:
        OSError: The folder cannot be written.
    """
    try:
        import fcntl
    except ImportError:  # Windows, whose locks are mandatory
        return True
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in _UNSUPPORTED
    return True


@contextmanager
def wait_for_lock(path: Path) -> Iterator[None]:
    """Holds a lock file, and waits until no other process holds it.

    Args:
        path: Lock file, in an existing folder.

    Raises:
        Interrupted: A signal arrived while the lock was held by another process.
        OSError: The file cannot be written, or the file system has no locks.
    """
    from filelock import FileLock, Timeout

    if not has_locks(path.parent):
        raise OSError(errno.ENOSYS, f"{path.parent} is on a file system without file locks")
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
        LTBenchError: The file cannot be written, or the file system has no locks; of the type
            `denied`.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not has_locks(path.parent):
            raise denied(
                f"{path.parent} is on a file system without file locks (flock)",
                hint=f"choose a folder on another file system with {option}, or let the "
                "administrator mount this one with locks",
            )
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
