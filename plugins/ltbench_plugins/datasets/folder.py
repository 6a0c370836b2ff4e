"""Own images sorted into class folders."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from ltbench import DataContext, DatasetSpec, option
from ltbench.data import (
    IMAGE_EXTENSIONS,
    Dataset,
    FileImages,
    Split,
    combined_digest,
    file_digests,
    with_home,
)
from ltbench.errors import ConfigError, DataError, suggestion
from ltbench_plugins.datasets.parts.image_files import Aside
from ltbench_plugins.datasets.parts.own_images import OwnImages, digests_of_splits

SPELLINGS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
_LAYOUT = "put images into train/CLASS/ and test/CLASS/ (and optionally val/CLASS/)"


@dataclass(frozen=True)
class FolderConfig(OwnImages):
    """Options of the folder data set."""

    path: Path | None = option(
        None, "required: folder with train/CLASS/, test/CLASS/ and optionally val/CLASS/"
    )


@dataclass(frozen=True)
class _Part:
    """Files of a split, class by class in the order of their paths."""

    files: list[str]
    labels: NDArray[np.int64]

    @property
    def paths(self) -> Any:
        """Paths below the root, a pyarrow string array."""
        import pyarrow as pa

        return pa.array(self.files, pa.string())


@dataclass(frozen=True)
class _Tree:
    """Content of a folder of class folders.

    Args:
        class_names: Names of the K classes, in Unicode's normal form C.
        parts: Files of each split.
        notes: Sentences on ignored files and on names in two Unicode forms.
    """

    class_names: tuple[str, ...]
    parts: dict[str, _Part]
    notes: tuple[str, ...]


def build(config: FolderConfig, ctx: DataContext) -> Dataset:
    """Builds the data set from the class folders of `path`.

    Classes are the folders in train/, in the order of their names; names are compared in Unicode's
    normal form C. A class may have subfolders. Hidden files are ignored, and so are files without
    an image's file extension; a note counts the latter.

    Raises:
        ConfigError: No path was given.
        DataError: A split or a class has no images, a split has a class that train has not, or an
            image occurs more than once.
    """
    root = _root(config)
    tree = _scan(root)
    splits = {
        name: Split(FileImages(root, part.paths, f"check that {root} is unchanged"), part.labels)
        for name, part in tree.parts.items()
    }
    dataset = Dataset(tree.class_names, splits, notes=tree.notes)
    digests = digests_of_splits(dataset, config.digest, ctx)
    return config.finish(
        dataset, digests, lambda split, at: splits[split].images.name(at), str(root), ctx
    )


def identity(config: FolderConfig, ctx: DataContext) -> str:
    """Returns a digest of the paths below the folder, and of the files' content."""
    root = _root(config)
    hashed = hashlib.sha256()
    for name, part in _scan(root).parts.items():
        paths = (normalize("NFC", path) for path in part.files)
        hashed.update("\0".join((name, *paths, "")).encode())
        digests = file_digests(root, part.paths, ctx.progress, config.digest)
        hashed.update(combined_digest(digests).encode())
    return f"{config.digest}:{hashed.hexdigest()}"


def check(config: FolderConfig, ctx: DataContext) -> None:
    """Checks the folders, without reading the files."""
    _scan(_root(config))


def _root(config: FolderConfig) -> Path:
    if config.path is None:
        raise ConfigError(
            "dataset.path: data set 'folder' needs a folder of images",
            hint=f"add --set dataset.path=FOLDER; {_LAYOUT}",
        )
    return with_home(config.path)


def _scan(root: Path) -> _Tree:
    """Returns the classes, and the files of each split."""
    folders = {name: _split_folder(root, name) for name in SPELLINGS}
    train, test = folders["train"], folders["test"]
    if train is None:
        raise _no_train(root)
    if test is None:
        raise DataError(
            f"{root} has no test/",
            hint=f"{_LAYOUT}; data set 'csv' can hold out test images from a list",
        )
    classes = _class_folders(train)
    aside = Aside()
    parts = {
        name: _part(root, folder, classes, aside)
        for name, folder in folders.items()
        if folder is not None
    }
    return _Tree(tuple(classes), parts, aside.notes())


def _split_folder(root: Path, split: str) -> Path | None:
    found = [root / name for name in SPELLINGS[split] if (root / name).is_dir()]
    if len(found) > 1:
        raise DataError(
            f"{root} has both {found[0].name}/ and {found[1].name}/", hint="merge the two folders"
        )
    return found[0] if found else None


def _class_folders(folder: Path) -> dict[str, str]:
    """Returns the folder name of each class, by its sorted name in normal form C."""
    with _opened(str(folder)) as entries:
        names = [e.name for e in entries if e.is_dir() and not e.name.startswith(".")]
    if not names:
        raise DataError(f"{folder} has no class folders", hint=_LAYOUT)
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


def _part(root: Path, folder: Path, classes: dict[str, str], aside: Aside) -> _Part:
    """Returns the files of a split, and adds ignored files to `aside`."""
    ids = {name: label for label, name in enumerate(classes)}
    with _opened(str(folder)) as entries:
        names = [entry.name for entry in entries if not entry.is_dir()]
    aside.loose += [f"{folder.name}/{name}" for name in names if _is_image(name)]
    files: list[str] = []
    labels, counts = [], []
    for name, written in _class_folders(folder).items():
        if name not in ids:
            raise DataError(
                f"{folder / written}: train has no class '{name}'", hint=suggestion(name, classes)
            )
        if written != classes[name]:
            aside.other_forms.append(f"{folder.name}/{name}")
        below = f"{folder.name}/{written}"
        above = (_key(root), _key(folder))
        found = list(_images(str(folder / written), below, above, aside))
        if not found:
            raise DataError(
                f"{folder / written} has no images",
                hint="move images of the class into this folder; known file extensions are "
                f"{' '.join(IMAGE_EXTENSIONS)}",
            )
        files += sorted(found, key=lambda path: (normalize("NFC", path), path))
        labels.append(ids[name])
        counts.append(len(found))
    _expect_unicode(root, files)
    return _Part(files, np.repeat(np.array(labels, np.int64), counts))


def _images(
    folder: str, below: str, above: tuple[tuple[int, int], ...], aside: Aside
) -> Iterator[str]:
    """Yields the paths of the images in a folder and its subfolders.

    Args:
        folder: Path of the folder.
        below: Path of the folder relative to the root.
        above: Device and inode of its parent folders: a link to one of them is an endless loop.
        aside: Counter of ignored files.
    """
    key = _key(folder)
    if key in above:
        raise DataError(f"{folder} is a link to its own parent folder", hint="move the link")
    with _opened(folder) as entries:
        for entry in entries:
            path = f"{below}/{entry.name}"
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _images(entry.path, path, (*above, key), aside)
            elif not _is_image(entry.name):
                aside.add(path)
            elif entry.is_symlink() and not entry.is_file():
                raise DataError(
                    f"{entry.path} is a link to a missing file", hint="put the image in place"
                )
            else:
                yield path


def _is_image(name: str) -> bool:
    return name.lower().endswith(IMAGE_EXTENSIONS) and not name.startswith(".")


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


def _expect_unicode(root: Path, files: list[str]) -> None:
    for path in files:
        if not path.isascii():
            try:
                path.encode()
            except UnicodeEncodeError as error:
                raise DataError(
                    f"{root}: the file name {path!r} is not UTF-8", hint="rename the file"
                ) from error


def _no_train(root: Path) -> DataError:
    """Returns the error for a folder without train/, with the likely cause."""
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        return DataError(f"{root} {what}", hint="set dataset.path to a folder of images")
    if (root.resolve().parent / "train").is_dir():
        return DataError(
            f"{root} is one level too low: train/ is beside it, not in it",
            hint=f"set dataset.path={root.resolve().parent}",
        )
    below = sorted(path for path in root.iterdir() if path.is_dir())
    higher = next((path for path in below if (path / "train").is_dir()), None)
    if higher is not None:
        return DataError(
            f"{root} is one level too high: train/ is in {higher}",
            hint=f"set dataset.path={higher}",
        )
    if any(
        path.suffix.lower() in IMAGE_EXTENSIONS for folder in below for path in folder.iterdir()
    ):
        return DataError(
            f"{root} has class folders outside of train/ and test/",
            hint=f"{_LAYOUT}; data set 'csv' can hold out test images from a list",
        )
    return DataError(f"{root} has no train/", hint=_LAYOUT)


FOLDER = DatasetSpec(
    name="folder",
    summary="own images in class folders: train/CLASS/ and test/CLASS/",
    config=FolderConfig,
    build=build,
    identity=identity,
    check=check,
    examples=(),
)
