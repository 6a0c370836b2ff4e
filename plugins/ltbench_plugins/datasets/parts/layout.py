"""Finds out what is wrong with where a download lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ltbench.errors import DataError

_UP, _DOWN = 2, 3  # levels
_BREADTH = 40  # folders that are looked into at each level: class folders are not gone through


def expect_level(source: Path, wanted: Sequence[str]) -> None:
    """Sees to it that a download's folder is the one that holds the wanted folders.

    Raises:
        DataError: It is not: the message names the folder that is, if it is near.
    """
    if not source.is_dir():
        what = "is a file: unpack it, and name the folder" if source.exists() else "does not exist"
        raise DataError(f"--source {source} {what}", hint="--source names an existing download")
    if _holds(source, wanted):
        return
    names = " and ".join(f"{name}/" for name in wanted)
    found = next((folder for folder in _near(source) if _holds(folder, wanted)), None)
    if found is not None:
        raise DataError(
            f"{source} is the wrong level: {found} holds {names}", hint=f"give --source {found}"
        )
    raise DataError(f"{source} has no {names}", hint="--source names the folder that holds them")


def wrong_level(folder: Path, path: str) -> Path | None:
    """Returns where an image is that should be at a path below a folder, if a level is wrong.

    Args:
        folder: Where the paths of the lists start.
        path: One of them that is not there, such as `train/airfield/00000001.jpg`.
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
    for _ in range(_DOWN):
        level = [below for folder in level for below in _folders(folder)]
        yield from level
    yield from list(source.resolve().parents)[:_UP]


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir())[:_BREADTH]
