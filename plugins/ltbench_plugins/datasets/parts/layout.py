"""Detection of downloads in a wrong place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ltbench.errors import DataError

_MAX_LEVELS_UP, _MAX_LEVELS_DOWN = 2, 3
_MAX_FOLDERS = 40  # folders that are searched at each level, so that not all classes are


def expect_level(source: Path, wanted: Sequence[str]) -> None:
    """Checks that a download's folder holds the wanted folders.

    Raises:
        DataError: It does not; the message names a nearby folder that does.
    """
    if not source.is_dir():
        what = "is a file, not an unpacked folder" if source.exists() else "does not exist"
        raise DataError(f"--source {source} {what}", hint="set --source to an unpacked download")
    if _holds(source, wanted):
        return
    names = " and ".join(f"{name}/" for name in wanted)
    found = next((folder for folder in _near(source) if _holds(folder, wanted)), None)
    if found is not None:
        raise DataError(
            f"{source} is the wrong level: {found} holds {names}", hint=f"use --source {found}"
        )
    raise DataError(f"{source} has no {names}", hint="set --source to the folder that holds them")


def wrong_level(folder: Path, path: str) -> Path | None:
    """Returns the path of an image that is one level too high or too low, or None.

    Args:
        folder: Folder of the lists' relative paths.
        path: Missing path of a list, such as `train/airfield/00000001.jpg`.
    """
    first, _, rest = path.partition("/")
    places = [folder / rest, *(below / path for below in _folders(folder))]
    places += [below / rest for below in _folders(folder / first)]
    return next((place for place in places if place.is_file()), None)


def _holds(folder: Path, wanted: Sequence[str]) -> bool:
    return all((folder / name).is_dir() for name in wanted)


def _near(source: Path) -> Iterator[Path]:
    """Yields the folders below and above, nearest first."""
    level = [source]
    for _ in range(_MAX_LEVELS_DOWN):
        level = [below for folder in level for below in _folders(folder)]
        yield from level
    yield from list(source.resolve().parents)[:_MAX_LEVELS_UP]


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir())[:_MAX_FOLDERS]
