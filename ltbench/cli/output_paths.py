"""Checks of the paths that a command is to write, before the work whose result it writes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ltbench.errors import ConfigError
from ltbench.io.files import own_target


def output_file(path: Path, option: str) -> Path:
    """Returns the path of a file to write: where links of this user lead, those of others never.

    Args:
        path: Path from the command line.
        option: Option that it was given with, for messages.

    Raises:
        ConfigError: It exists and is not a file, or cannot be reached.
    """
    target, mode = path, None
    with _reached(path, option, hint="give another file"):
        target = own_target(path)
        mode = target.stat().st_mode
    if mode is not None and not stat.S_ISREG(mode):
        raise ConfigError(
            f"{option}: {path} exists but is not a file", hint="give the name of a file"
        )
    _expect_writable(target.parent, option)
    return target


def new_file(path: Path, option: str) -> Path:
    """Returns the path of a file to create.

    Args:
        path: Path from the command line.
        option: Option that it was given with, for messages.

    Raises:
        ConfigError: It exists, or cannot be reached.
    """
    target = output_file(path, option)
    if os.path.lexists(path):
        raise ConfigError(f"{option}: {path} exists", hint="give the name of a new file")
    return target


def output_folder(path: Path, option: str) -> None:
    """Checks that a folder to write in is one, or is missing.

    Args:
        path: Path from the command line.
        option: Option that it was given with, for messages.

    Raises:
        ConfigError: It exists and is not a folder, or cannot be reached.
    """
    mode = None
    with _reached(path, option, hint="give another folder"):
        mode = path.stat().st_mode
    if mode is None and path.is_symlink():
        raise ConfigError(
            f"{option}: {path} is a link that leads nowhere", hint="give another folder"
        )
    if mode is not None and not stat.S_ISDIR(mode):
        raise ConfigError(
            f"{option}: {path} exists but is not a directory", hint="give another folder"
        )


def writable_folder(path: Path, option: str) -> None:
    """Checks that a folder can be written to, or created.

    Args:
        path: Path from the command line.
        option: Option that it was given with, for messages.

    Raises:
        ConfigError: It is no folder, or the permission is missing.
    """
    output_folder(path, option)
    _expect_writable(path, option)


@contextmanager
def _reached(path: Path, option: str, hint: str) -> Iterator[None]:
    """Converts errors of the file system about a path; one that is missing is no error.

    Raises:
        ConfigError: The path cannot be reached.
    """
    try:
        yield
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(
            f"{option}: {path} cannot be written: {error.strerror}", hint=hint
        ) from error


def _expect_writable(folder: Path, option: str) -> None:
    """Checks that a folder can be written to, or created in the nearest one above that exists."""
    above = folder.absolute()
    while not os.path.lexists(above):
        above = above.parent
    if above.is_dir() and not os.access(above, os.W_OK | os.X_OK):
        raise ConfigError(
            f"{option}: {above} cannot be written to: no permission", hint="give another folder"
        )
