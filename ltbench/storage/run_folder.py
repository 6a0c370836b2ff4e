"""Folder of a run on the disk: created, continued and cleared, and never behind a link."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ltbench.errors import RunError
from ltbench.io.files import partial_path, remove, remove_partials
from ltbench.storage.files import make_folder

CHECKPOINTS = "checkpoint"


def open_folder(folder: Path) -> None:
    """Creates the folder of a run, or continues with an existing one.

    Temporary files that killed processes left are removed. The caller holds the lock of the run.

    Args:
        folder: The run directory.

    Raises:
        RunError: The folder is a link, or cannot be written.
    """
    make_folder(folder.parent)
    with changing(folder):
        remove_partials(folder.parent, of=folder.name)  # a half-deleted run
        make_folder(folder)
        remove_partials(folder)
        remove_partials(folder / CHECKPOINTS)


def make_checkpoint_folder(folder: Path, described_by: str) -> None:
    """Creates the folder of checkpoints, unless the run directory was deleted meanwhile.

    Args:
        folder: The run directory.
        described_by: Name of the file that is written first.

    Raises:
        RunError: The run directory was deleted, or cannot be written.
    """
    with changing(folder):
        if not (folder / described_by).exists():
            raise RunError(
                f"{folder} was deleted or moved during the run", hint="start the same run again"
            )
        (folder / CHECKPOINTS).mkdir(exist_ok=True)


def clear_folder(folder: Path) -> None:
    """Deletes a run directory.

    Args:
        folder: The run directory, which may be missing.

    Raises:
        RunError: The folder is a link or a file, or cannot be deleted.
    """
    with changing(folder):
        if not folder.exists():
            return
        # Renamed first, in one step: readers must not find a half-deleted run.
        doomed = partial_path(folder)
        folder.rename(doomed)
        remove(doomed)


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Converts errors of the file system, and changes nothing that a link leads to.

    Args:
        folder: The run directory.

    Raises:
        RunError: A folder is a link or a file, or cannot be written.
    """
    try:
        for path in (folder, folder / CHECKPOINTS):
            if path.is_symlink():
                raise RunError(
                    f"{path} is a link: expected a directory",
                    hint="replace the link by the directory that it leads to",
                )
            if path.exists() and not path.is_dir():
                raise RunError(f"{path} exists but is not a directory", hint="move it away")
        yield
    except OSError as error:
        raise RunError(
            f"{error.filename or folder} cannot be changed: {error.strerror or error}",
            hint="change the permissions there, or choose another folder with --out",
        ) from error
