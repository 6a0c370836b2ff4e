"""Paths as users write them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeGuard


def is_folder(path: Path | str | os.DirEntry[str]) -> bool:
    """Returns whether a path leads to a folder.

    One that no system call takes leads to none: a circle of links, a name that is too long or has a
    null character. pathlib and `os.scandir` raise errors there.

    Args:
        path: Path, or an entry of a folder that is being listed.
    """
    if isinstance(path, os.DirEntry):
        try:
            return path.is_dir()
        except OSError:
            return False
    return os.path.isdir(path)  # noqa: PTH112


def no_folder(path: Path) -> str:
    """Returns what is wrong with a path that leads to no folder: a message goes on with it."""
    exists = os.path.lexists(path)  # which never raises
    return "exists but is not a directory" if exists else "does not exist"


def is_path(given: object) -> TypeGuard[str | Path]:
    """Returns whether a value of a Python call is a path that a system call takes.

    Args:
        given: Value of an argument.
    """
    if not isinstance(given, str | Path):
        return False
    try:
        return b"\0" not in os.fsencode(given)
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def with_home(path: Path | str) -> Path:
    """Returns a path with the user's home in the place of `~`, or of `~NAME` for another user.

    Where the home is unknown, the path is returned as it is; pathlib's own function raises an error
    that no user of a path expects.

    Args:
        path: Path with or without `~`.
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111
