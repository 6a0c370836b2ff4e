"""New folder that is put in place when all its files are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ltbench.errors import ConfigError, RunError
from ltbench.io.files import partial_path, remove
from ltbench.io.interrupts import deferred
from ltbench.storage.files import make_folder


def expect_new(path: Path) -> None:
    """Checks that nothing has the path of a new folder.

    Args:
        path: The folder.

    Raises:
        ConfigError: Something exists there.
    """
    if os.path.lexists(path):
        raise ConfigError(
            f"{path} exists: expected a new folder", hint="give another folder, or remove this one"
        )


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Creates a folder under a temporary name, which becomes its name when the block has ended.

    Args:
        path: The folder.

    Raises:
        RunError: It cannot be written.
    """
    make_folder(path.absolute().parent)
    partial = partial_path(path.absolute())
    try:
        partial.mkdir()
        yield partial
        with deferred():
            if os.path.lexists(path):
                raise FileExistsError(17, "it exists", str(path))
            partial.rename(path)
    except OSError as error:
        raise RunError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="free space or change the permissions there, or write to another folder",
        ) from error
    finally:
        remove(partial)
