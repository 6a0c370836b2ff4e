"""Image files of a prediction: files, folders, glob patterns and CSV files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.data.images import IMAGE_EXTENSIONS, FileImages
from ltbench.errors import ConfigError, CorruptImageError, DataError, shortened
from ltbench.io.interrupts import check
from ltbench.io.paths import is_folder, with_home
from ltbench.prediction.path_column import read_paths

_PATHS_PER_PART = 1 << 16  # converted to one array: a million texts would take more memory


class ListedImages(FileImages):
    """Image files by path, of which every one that cannot be read is a corrupt image.

    Args:
        paths: Pyarrow array of N paths as bytes, because the name of a file may be no UTF-8.
    """

    def __init__(self, paths: Any) -> None:
        super().__init__(Path(), paths)

    def name(self, index: int) -> str:
        """Returns the path of an image."""
        return os.fsdecode(self.paths[index].as_py())

    def read(self, index: int) -> NDArray[np.uint8]:
        """Returns an image in RGB, (height, width, 3).

        Raises:
            CorruptImageError: The file is missing, or cannot be decoded.
        """
        try:
            return super().read(index)
        except CorruptImageError:
            raise
        except DataError as error:
            raise CorruptImageError(error.message, hint=error.hint) from error
        except ValueError as error:  # a path with a null character
            name = shortened(self.name(index))
            raise CorruptImageError(f"{name} is no path: {error}", hint="check the list") from error


@dataclass(frozen=True)
class FoundImages:
    """Images that were found, in the order of their predictions.

    Args:
        images: The images.
        ignored: Number of files in folders that have no file extension of an image.
    """

    images: ListedImages
    ignored: int

    def __len__(self) -> int:
        return len(self.images)


def find_images(paths: Sequence[str | Path], *, unique: bool = True) -> FoundImages:
    """Finds the images of files, folders, glob patterns and CSV files.

    The order is that of the arguments. The files of a folder and of a pattern are sorted, those of
    a CSV file have the order of its rows. In folders, hidden files and files without the file
    extension of an image are ignored. A file that was named itself is read whatever its extension.

    Args:
        paths: Files, folders, patterns such as "images/**/*.jpg", and CSV files with a column
            `path`.
        unique: Whether a file that occurs again is left out.

    Raises:
        ConfigError: An argument does not exist.
        DataError: An argument cannot be read, or no image is found.
    """
    finder, collected = _Finder(), _Collected()
    several = unique and (len(paths) > 1 or not _is_folder(paths))
    found: Iterable[str] = (path for one in paths for path in finder.of(str(one)))
    collected.add(_without_repeats(found) if several else found)
    images = ListedImages(collected.array())
    if not len(images):
        shown = shortened(", ".join(map(str, paths))) or "no path"
        ignored = f" (files ignored: {finder.ignored:,})" if finder.ignored else ""
        raise DataError(
            f"{shown}: no image found{ignored}",
            hint=f"known file extensions are {' '.join(IMAGE_EXTENSIONS)}",
        )
    return FoundImages(images, finder.ignored)


@dataclass
class _Collected:
    """Paths as arrays of bytes."""

    parts: list[Any] = field(default_factory=list)
    last: list[bytes] = field(default_factory=list)

    def add(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.last.append(os.fsencode(path))
            if len(self.last) == _PATHS_PER_PART:
                check()
                self._close()

    def array(self) -> Any:
        """Returns all paths."""
        import pyarrow as pa

        self._close()
        return pa.concat_arrays(self.parts)

    def _close(self) -> None:
        import pyarrow as pa

        self.parts.append(pa.array(self.last, pa.large_binary()))
        self.last = []


@dataclass
class _Finder:
    """Finds the images of one argument after the other.

    Attributes:
        ignored: Number of files in folders that have no file extension of an image.
    """

    ignored: int = 0

    def of(self, text: str) -> Iterator[str]:
        """Yields the paths of the images of an argument."""
        path = with_home(text)
        if "\0" not in text and os.path.lexists(path):
            yield from self._at(str(path))
            return
        matches = _matches(path) if glob.has_magic(text) else []
        if not matches:
            what = "matches no file" if glob.has_magic(text) else "does not exist"
            raise ConfigError(
                f"{shortened(text)} {what}",
                hint="give image files, folders, patterns in quotes, or a CSV file of paths",
            )
        for match in matches:
            yield from self._at(match)

    def _at(self, path: str) -> Iterator[str]:
        if is_folder(path):
            yield from self._below(path)
        elif path.lower().endswith(".csv"):
            yield from read_paths(Path(path))
        else:
            yield path

    def _below(self, folder: str) -> Iterator[str]:
        """Yields the images in a folder and its subfolders, sorted folder by folder.

        Raises:
            DataError: A folder cannot be read, or is a link to its own parent folder.
        """
        # A stack and no recursion: folders may be nested deeper than Python's calls.
        stack = [(self._listed(folder), {_key(folder, set())})]
        while stack:
            entries, above = stack[-1]
            path = next(entries, None)
            if path is None:
                stack.pop()
            elif not path.endswith(os.sep):
                yield path
            else:
                stack.append((self._listed(path), above | {_key(path, above)}))

    def _listed(self, folder: str) -> Iterator[str]:
        """Returns the sorted images and subfolders of a folder; the latter end with a slash."""
        check()
        names = []
        with _reading(folder), os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if is_folder(entry):
                    names.append(entry.name + os.sep)
                elif entry.name.lower().endswith(IMAGE_EXTENSIONS):
                    names.append(entry.name)
                else:
                    self.ignored += 1
        names.sort(key=lambda name: name.removesuffix(os.sep))
        return (os.path.join(folder, name) for name in names)  # noqa: PTH118


def _matches(pattern: Path) -> list[str]:
    """Returns the sorted paths that match a pattern; of one with "**" the files alone."""
    found = sorted(glob.glob(str(pattern), recursive=True))  # noqa: PTH207
    if "**" not in pattern.parts:
        return found
    return [path for path in found if not is_folder(path)]


def _key(folder: str, above: set[tuple[int, int]]) -> tuple[int, int]:
    """Returns device and inode of a folder after checking that none above it has the same."""
    with _reading(folder):
        status = os.stat(folder)  # noqa: PTH116
    key = status.st_dev, status.st_ino
    if key in above:
        raise DataError(f"{folder} is a link to its own parent folder", hint="move the link")
    return key


@contextmanager
def _reading(folder: str) -> Iterator[None]:
    """Converts errors of the file system about a folder.

    Raises:
        DataError: The folder cannot be read.
    """
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read: {error.strerror}", hint="allow this user to read it"
        ) from error


def _is_folder(paths: Sequence[str | Path]) -> bool:
    """Returns whether the only argument is a folder, in which no path occurs twice."""
    return len(paths) == 1 and is_folder(with_home(paths[0]))


def _without_repeats(paths: Iterable[str]) -> Iterator[str]:
    """Yields each path once, however it is written."""
    seen: set[bytes] = set()
    for path in paths:
        key = os.fsencode(os.path.abspath(path))  # noqa: PTH100  # resolves no link
        if key not in seen:
            seen.add(key)
            yield path
