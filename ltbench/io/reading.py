"""Reading of files that other users may have put there."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_regular(path: Path, limit: int) -> bytes:
    """Returns the content of a regular file, or of the one that a link leads to.

    A FIFO would block, and a device has no end: neither is read. Nor is a file that is larger than
    its kind can be.

    Args:
        path: The file.
        limit: Largest size in bytes.

    Raises:
        OSError: The file cannot be opened or read, is not a regular file, or is too large.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        found = os.fstat(file.fileno())
        _check(found, path, limit)
        return file.read(found.st_size)


def expect_regular(path: Path, limit: int) -> None:
    """Checks a file that a library is going to open by its path.

    Args:
        path: The file.
        limit: Largest size in bytes.

    Raises:
        OSError: The file is missing, is not a regular file, or is too large.
    """
    _check(path.stat(), path, limit)


def _check(found: os.stat_result, path: Path, limit: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    if found.st_size > limit:
        raise OSError(errno.EFBIG, f"File is larger than {limit:,} bytes", str(path))


def _without_waiting(path: str, flags: int) -> int:
    """Opens a file; a FIFO without a writer is opened too."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
