"""Any images, sorted into class folders."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench import DataContext, DatasetSpec, option
from ltbench.data import Dataset, FileImages, Split
from ltbench.errors import ConfigError, DataError, suggestion
from ltbench_plugins.datasets.parts.construction import Construction

SPELLINGS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""Those that torchvision's ImageFolder takes."""

_File = tuple[str, int]
"""Path below the root, and size in bytes."""
_LAYOUT = "images belong in train/CLASS/ and test/CLASS/ (and val/CLASS/, if you like)"


@dataclass(frozen=True)
class FolderConfig(Construction):
    """Options of folder."""

    path: Path | None = option(
        None, "needed: folder with train/CLASS/, test/CLASS/ and, maybe, val/CLASS/"
    )


@dataclass(frozen=True)
class _Part:
    """The files of a split, class by class in the order of their paths."""

    files: list[_File]
    labels: NDArray[np.int64]


def build(config: FolderConfig, ctx: DataContext) -> Dataset:
    """Builds the data set from the class folders of `path`.

    Classes are the folders in train/, in the order of their names. A class may have folders of its
    own; hidden files and files that are no images are left aside.

    Raises:
        ConfigError: No path was given.
        DataError: A split or a class has no images, or a split has a class that train has not.
    """
    root = _root(config)
    class_names, parts = _scan(root)
    splits = {
        name: Split(FileImages(root, _paths(part), "is it still there?"), part.labels)
        for name, part in parts.items()
    }
    return config.of(Dataset(class_names, splits), ctx)


def identity(config: FolderConfig, ctx: DataContext) -> str:
    """Returns a digest of the paths below the folder, and of the sizes of the files."""
    _, parts = _scan(_root(config))
    digest = hashlib.sha256()
    for name, part in parts.items():
        paths, sizes = zip(*part.files, strict=True)
        digest.update("\0".join((name, *paths, "")).encode())
        digest.update(np.array(sizes, "<i8").tobytes())
    return f"sha256:{digest.hexdigest()}"


def check(config: FolderConfig, ctx: DataContext) -> None:
    """Looks through the folders, not into the files."""
    _scan(_root(config))


def _root(config: FolderConfig) -> Path:
    if config.path is None:
        raise ConfigError(
            "dataset.path: data set 'folder' must be told where the images are",
            hint=f"add --set dataset.path=FOLDER; {_LAYOUT}",
        )
    return config.path.expanduser()


def _scan(root: Path) -> tuple[tuple[str, ...], dict[str, _Part]]:
    """Returns the class names, and the files of each split."""
    folders = {name: _split_folder(root, name) for name in SPELLINGS}
    train, test = folders["train"], folders["test"]
    if train is None:
        raise _no_train(root)
    if test is None:
        raise DataError(
            f"{root} has no test/",
            hint=f"{_LAYOUT}; data set 'csv' can hold a test part out of a list of images",
        )
    class_names = tuple(_class_folders(train))
    parts = {
        name: _part(root, folder, class_names)
        for name, folder in folders.items()
        if folder is not None
    }
    return class_names, parts


def _split_folder(root: Path, split: str) -> Path | None:
    found = [root / name for name in SPELLINGS[split] if (root / name).is_dir()]
    if len(found) > 1:
        raise DataError(
            f"{root} has both {found[0].name}/ and {found[1].name}/", hint="put them together"
        )
    return found[0] if found else None


def _class_folders(folder: Path) -> list[str]:
    with _opened(str(folder)) as entries:
        names = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    if not names:
        raise DataError(f"{folder} has no class folders", hint=_LAYOUT)
    return names


def _part(root: Path, folder: Path, class_names: tuple[str, ...]) -> _Part:
    """Returns the files of a split."""
    ids = {name: label for label, name in enumerate(class_names)}
    files: list[_File] = []
    labels, counts = [], []
    for name in _class_folders(folder):
        if name not in ids:
            raise DataError(
                f"{folder / name}: train has no class '{name}'", hint=suggestion(name, class_names)
            )
        below = f"{folder.name}/{name}"
        found = sorted(_images(str(folder / name), below, (_key(root), _key(folder))))
        if not found:
            raise DataError(
                f"{folder / name} has no images",
                hint=f"known are {' '.join(EXTENSIONS)}; remove a class folder without images",
            )
        files += found
        labels.append(ids[name])
        counts.append(len(found))
    _expect_unicode(root, files)
    return _Part(files, np.repeat(np.array(labels, np.int64), counts))


def _images(folder: str, below: str, above: tuple[tuple[int, int], ...]) -> Iterator[_File]:
    """Yields the images in a folder and in those that it holds.

    Args:
        folder: Where it is.
        below: Its path below the root.
        above: The folders that it is in: a link to one of them has no end.
    """
    key = _key(folder)
    if key in above:
        raise DataError(f"{folder} is a link to a folder that it lies in", hint="remove the link")
    with _opened(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _images(entry.path, f"{below}/{entry.name}", (*above, key))
            elif entry.name.lower().endswith(EXTENSIONS):
                yield f"{below}/{entry.name}", _size(entry)


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError as error:
        what = "is a link to nothing" if entry.is_symlink() else f"cannot be read: {error.strerror}"
        raise DataError(f"{entry.path} {what}", hint="put the image in place") from error


def _key(folder: Path | str) -> tuple[int, int]:
    status = os.stat(folder)  # noqa: PTH116  # strings are faster
    return status.st_dev, status.st_ino


def _opened(folder: str) -> Any:
    try:
        return os.scandir(folder)
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read: {error.strerror}", hint="get permission to read it"
        ) from error


def _expect_unicode(root: Path, files: list[_File]) -> None:
    for path, _ in files:
        if not path.isascii():
            try:
                path.encode()
            except UnicodeEncodeError as error:
                raise DataError(
                    f"{root}: the file name {path!r} is not UTF-8", hint="rename the file"
                ) from error


def _paths(part: _Part) -> Any:
    import pyarrow as pa

    return pa.array([path for path, _ in part.files], pa.string())


def _no_train(root: Path) -> DataError:
    """Says what a folder without train/ is instead."""
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        return DataError(f"{root} {what}", hint="--set dataset.path names a folder of images")
    if (root.resolve().parent / "train").is_dir():
        return DataError(
            f"{root} is one level too low: train/ is beside it, not in it",
            hint=f"give --set dataset.path={root.resolve().parent}",
        )
    below = sorted(path for path in root.iterdir() if path.is_dir())
    higher = next((path for path in below if (path / "train").is_dir()), None)
    if higher is not None:
        return DataError(
            f"{root} is one level too high: train/ is in {higher}",
            hint=f"give --set dataset.path={higher}",
        )
    if any(path.suffix.lower() in EXTENSIONS for folder in below for path in folder.iterdir()):
        return DataError(
            f"{root} has class folders, but no train/ and test/ that they are in",
            hint=f"{_LAYOUT}; data set 'csv' can hold a test part out of a list of images",
        )
    return DataError(f"{root} has no train/", hint=_LAYOUT)


FOLDER = DatasetSpec(
    name="folder",
    summary="your images, sorted into class folders: train/CLASS/ and test/CLASS/",
    config=FolderConfig,
    build=build,
    identity=identity,
    check=check,
    examples=(),
)
