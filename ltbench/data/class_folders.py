"""Folders of class folders: the images of each class, and of each split where there are some."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from ltbench.data.folder_layout import LAYOUT, UNDIVIDED, split_folders
from ltbench.data.ignored_files import IgnoredFiles
from ltbench.data.images import IMAGE_EXTENSIONS
from ltbench.errors import DataError, shortened, suggestion
from ltbench.io.interrupts import check
from ltbench.io.paths import is_folder

_MAX_SHOWN_CLASSES = 5


@dataclass(frozen=True)
class ListedFiles:
    """Image files, class by class in the order of their paths.

    Args:
        files: Paths below the folder.
        labels: Class ids, (N,).
    """

    files: list[str]
    labels: NDArray[np.int64]

    @property
    def paths(self) -> Any:
        """Paths below the folder, a pyarrow string array."""
        import pyarrow as pa

        return pa.array(self.files, pa.string())


@dataclass(frozen=True)
class ClassFolders:
    """Content of a folder of class folders.

    Args:
        class_names: Names of the K classes, in Unicode's normal form C.
        parts: Files of each split; `UNDIVIDED` is the only key where there are no splits.
        notes: Sentences on ignored files and on names in two Unicode forms.
        faults: Path -> reason why it is left out; empty unless faults are collected.
        nested: Paths of subfolders of class folders that hold images, in order.
    """

    class_names: tuple[str, ...]
    parts: dict[str, ListedFiles]
    notes: tuple[str, ...]
    faults: dict[str, str]
    nested: tuple[str, ...]


def scan_class_folders(
    root: Path, *, collect_faults: bool = False, given: str = "set dataset.path="
) -> ClassFolders:
    """Returns the classes, and the files of each split, without reading a file.

    Classes are the folders in train/, or in the folder itself where it has no splits, in the order
    of their names. Names are compared in Unicode's normal form C. A class may have subfolders.
    Hidden files are ignored, and so are files without an image's file extension.

    Args:
        root: The folder.
        collect_faults: Whether a fault of a file or a class is collected and leaves it out, instead
            of being raised.
        given: Words before a path in hints: how the user gives the folder.

    Raises:
        DataError: The folder has no classes, or a file or a class has a fault.
    """
    folders = split_folders(root, given)
    scanner = _Scanner(root, collect_faults)
    found = {split: scanner.split(split, folder) for split, folder in folders.items()}
    first = "train" if "train" in found else UNDIVIDED
    names = scanner.classes(first, folders, found)
    parts = {split: _listed(names, found[split]) for split in found}
    if not names or not any(len(part.files) for part in parts.values()):
        raise DataError(
            f"{root} has no images in class folders",
            hint=f"{LAYOUT}; known file extensions are {' '.join(IMAGE_EXTENSIONS)}",
        )
    return ClassFolders(
        tuple(names), parts, scanner.ignored.notes(), scanner.faults, tuple(scanner.nested)
    )


_Files = dict[str, list[str]]
"""Paths of the files of each class, by its name in normal form C."""


@dataclass
class _Scanner:
    """Reads folders, and raises or collects their faults.

    Attributes:
        root: The folder of all.
        collect: Whether faults are collected.
        ignored: Ignored files.
        faults: Path -> reason why it is left out.
        nested: Paths of subfolders of class folders that hold images.
        written: Name of the folder of each class in the first split.
    """

    root: Path
    collect: bool
    ignored: IgnoredFiles = field(default_factory=IgnoredFiles)
    faults: dict[str, str] = field(default_factory=dict)
    nested: list[str] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)

    def split(self, split: str, folder: Path) -> _Files:
        """Returns the files of a split by class."""
        prefix = "" if split == UNDIVIDED else f"{folder.name}/"
        above = [_key(self.root)] + ([] if split == UNDIVIDED else [_key(folder)])
        names = self._class_folders(folder, prefix)
        first = not self.written
        found: _Files = {}
        for name, written in names.items():
            if first:
                self.written[name] = written
            elif written != self.written.get(name, written):
                self.ignored.other_forms.append(f"{folder.name}/{name}")
            images = self._images(folder / written, f"{prefix}{written}", above)
            found[name] = sorted(images, key=lambda path: (normalize("NFC", path), path))
        return found

    def classes(self, first: str, folders: dict[str, Path], found: dict[str, _Files]) -> list[str]:
        """Returns the names of the classes, and checks that all splits agree on them."""
        names = list(found[first])
        for split, classes in found.items():
            folder = folders[split]
            for name in classes:
                if name not in found[first]:
                    self._report(
                        f"{folder.name}/{name}",
                        f"{first} has no class '{name}'",
                        suggestion(name, names),
                        f"{folder / name}: ",
                    )
            self._report_empty(folder, [name for name, files in classes.items() if not files])
        # Only where faults are collected: a class without training images is left out.
        return [name for name in names if found[first][name]]

    def _report_empty(self, folder: Path, empty: list[str]) -> None:
        hint = (
            "move images of the class into this folder, or remove it; known file extensions are "
            f"{' '.join(IMAGE_EXTENSIONS)}"
        )
        if len(empty) > 1 and not self.collect:
            shown = ", ".join(empty[:_MAX_SHOWN_CLASSES])
            more = ", ..." if len(empty) > _MAX_SHOWN_CLASSES else ""
            raise DataError(
                f"{folder}: {len(empty):,} classes have no images: {shortened(shown)}{more}",
                hint=hint,
            )
        for name in empty:
            written = folder / self.written.get(name, name)
            path = str(written.relative_to(self.root))
            self._report(path, "has no images", hint, f"{written} ")

    def _class_folders(self, folder: Path, prefix: str) -> dict[str, str]:
        """Returns the folder name of each class, by its sorted name in normal form C."""
        names = []
        with _opened(str(folder)) as entries:
            for entry in entries:
                if is_folder(entry):
                    names += [entry.name] if not entry.name.startswith(".") else []
                elif _is_image(entry.name):
                    self.ignored.loose.append(f"{prefix}{entry.name}")
        if not names:
            raise DataError(f"{folder} has no class folders", hint=LAYOUT)
        classes: dict[str, str] = {}
        for name in sorted(names):
            written = normalize("NFC", name)
            if written in classes:
                raise DataError(
                    f"{folder} has two folders named {written!r}, in different forms of Unicode",
                    hint="merge the two folders: names are compared in normal form C",
                )
            classes[written] = name
        return dict(sorted(classes.items()))

    def _images(self, folder: Path, below: str, above: list[tuple[int, int]]) -> Iterator[str]:
        """Yields the paths of the images in a class folder and its subfolders.

        Args:
            folder: Path of the folder.
            below: Path of the folder relative to the root.
            above: Device and inode of its parent folders: a link to one of them is an endless loop.
        """
        # A stack and no recursion: folders may be nested deeper than Python's calls.
        stack = [(str(folder), below, above)]
        while stack:
            check()
            path, relative, parents = stack.pop()
            count = 0
            with self._reading(path, relative) as entries:
                key = _key(path)
                if key in parents:
                    self._report(
                        relative, "is a link to its own parent folder", "move the link", f"{path} "
                    )
                    continue
                for entry in entries:
                    inner = f"{relative}/{entry.name}"
                    if entry.name.startswith("."):
                        continue
                    if is_folder(entry):
                        stack.append((entry.path, inner, [*parents, key]))
                    elif not _is_image(entry.name):
                        self.ignored.add(inner)
                    elif self._is_sound(entry, inner):
                        count += 1
                        yield inner
            if count and relative != below:
                self.nested.append(relative)

    def _is_sound(self, entry: os.DirEntry[str], path: str) -> bool:
        """Returns whether an image's file may be listed, after its fault was reported."""
        fault = ""
        if entry.is_symlink() and not _is_file(entry):
            missing = not os.path.exists(entry.path)  # noqa: PTH110  # strings are faster
            fault = (
                "is a link to a missing file"
                if missing
                else "is a link to something that is no file"
            )
            hint, start = "put the image in place", f"{entry.path} "
        elif not path.isascii() and not _is_unicode(path):
            fault, hint = f"the file name {path!r} is not UTF-8", "rename the file"
            start = f"{self.root}: "
        if fault:
            self._report(path, fault, hint, start)
        return not fault

    @contextmanager
    def _reading(self, folder: str, relative: str) -> Iterator[Iterator[os.DirEntry[str]]]:
        try:
            opened = os.scandir(folder)
        except OSError as error:
            hint = "allow this user to read it"
            self._report(relative, f"cannot be read: {error.strerror}", hint, f"{folder} ")
            yield iter(())
            return
        try:
            with opened:
                yield opened
        except OSError as error:  # of a failing disk, in the middle of the folder
            hint = "check the disk"
            self._report(relative, f"cannot be read: {error.strerror}", hint, f"{folder} ")

    def _report(self, path: str, fault: str, hint: str, start: str) -> None:
        """Raises the error of a path, or collects its fault."""
        if not self.collect:
            raise DataError(f"{start}{fault}", hint=hint)
        self.faults[path] = fault


def _listed(names: list[str], found: _Files) -> ListedFiles:
    labels = [label for label, name in enumerate(names) if found.get(name)]
    kept = [found[names[label]] for label in labels]
    counts = [len(files) for files in kept]
    files = [path for each in kept for path in each]
    return ListedFiles(files, np.repeat(np.array(labels, np.int64), counts))


def _is_image(name: str) -> bool:
    return name.lower().endswith(IMAGE_EXTENSIONS) and not name.startswith(".")


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a circle of links
        return False


def _is_unicode(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _key(folder: Path | str) -> tuple[int, int]:
    status = os.stat(folder)  # noqa: PTH116  # strings are faster
    return status.st_dev, status.st_ino


def _opened(folder: str) -> Any:
    try:
        return os.scandir(folder)
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read: {error.strerror}", hint="allow this user to read it"
        ) from error
