"""Changes of the tags of a stored run, by one process at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ltbench.storage.run_directory import RunDirectory
from ltbench.storage.run_folder import changing
from ltbench.storage.tags import read_tags, write_tags


def change_tags(
    directory: Path, store: Path, new: Mapping[str, str], without: Iterable[str]
) -> dict[str, str]:
    """Sets and removes tags of a run, and returns all that it has then.

    Args:
        directory: Run directory of a finished run.
        store: Folder of the run directories, which has the run's lock.
        new: Tags to set, as `parse_tags` returns them.
        without: Names of tags to remove; those that the run does not have are ignored.

    Raises:
        BusyError: Another process holds the lock of the run.
        ConfigError: The run would have too many tags.
        DataError: The stored tags cannot be read.
        RunError: The directory is a link, or cannot be written.
    """
    with RunDirectory(directory).lock(store), changing(directory):
        gone = set(without)
        kept = {name: one for name, one in read_tags(directory).items() if name not in gone}
        write_tags(directory, {**kept, **new})
        return read_tags(directory)
