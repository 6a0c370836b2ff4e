"""Own images sorted into class folders."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from ltbench import DataContext, DatasetSpec, option
from ltbench.data import (
    DEFAULT_TEST_SHARE,
    UNDIVIDED,
    ClassFolders,
    Dataset,
    Digests,
    FileImages,
    Split,
    combined_digest,
    file_digests,
    scan_class_folders,
    with_home,
)
from ltbench.errors import ConfigError, DataError
from ltbench_plugins.datasets.parts.drawn_images import DrawnImages
from ltbench_plugins.datasets.parts.own_images import digests_of_splits

_LAYOUT = "put images into CLASS/, or into train/CLASS/ and test/CLASS/ (and optionally val/CLASS/)"


@dataclass(frozen=True)
class FolderConfig(DrawnImages):
    """Options of the folder data set."""

    path: Path | None = option(
        None,
        "required: folder with CLASS/, which is split by dataset.test; or with train/CLASS/, "
        "test/CLASS/ and optionally val/CLASS/",
    )

    @property
    def place(self) -> Path | None:
        """Folder that the default title is the name of."""
        return self.path


@dataclass(frozen=True)
class _Divided:
    """Rows of the parts of a folder that make up the splits.

    Args:
        source: Part that the images of each split are in.
        rows: Rows of each split in its part; None for all of them.
        notes: Notes about drawn splits.
    """

    source: Mapping[str, str]
    rows: Mapping[str, NDArray[np.int64] | None]
    notes: tuple[str, ...]


def build(config: FolderConfig, ctx: DataContext) -> Dataset:
    """Builds the data set from the class folders of `path`.

    Classes are the folders in train/, or those in `path` itself, in the order of their names; names
    are compared in Unicode's normal form C. A class may have subfolders. Hidden files are ignored,
    and so are files without an image's file extension; a note counts the latter.

    Where `path` has class folders and no train/, the data seed draws `test` and `val` images of
    each class; without `test` a fifth of each class, at least one image. With `test` or `val`, a
    folder that has only train/CLASS/ is split in the same way.

    Raises:
        ConfigError: No path was given, or a split is to be drawn that the folder has.
        DataError: A split or a class has no images, a split has a class that train has not, a class
            has too few images for a split, or an image occurs more than once.
    """
    root = _root(config)
    tree = _scan(config, root)
    divided = _divide(config, tree, root, ctx.data_seed)
    dataset = _undigested(tree, divided, root)
    if ctx.limit is not None:
        return config.finish_few(dataset, str(root), ctx)
    digests = {
        name: file_digests(root, part.paths, ctx.progress, config.digest)
        for name, part in tree.parts.items()
    }
    known: dict[str, Digests] = {}
    for split, source in divided.source.items():
        rows = divided.rows[split]
        known[split] = digests[source] if rows is None else digests[source][rows]
    whole = digests_of_splits(dataset, config.digest, ctx, known)
    return config.finish(
        dataset, whole, lambda split, at: dataset.splits[split].images.name(at), str(root), ctx
    )


def _undigested(tree: ClassFolders, divided: _Divided, root: Path) -> Dataset:
    """Returns the data set with all files, none of which was read."""
    splits: dict[str, Split] = {}
    for split, source in divided.source.items():
        part, rows = tree.parts[source], divided.rows[split]
        paths = part.paths if rows is None else part.paths.take(rows)
        images = FileImages(root, paths, f"check that {root} is unchanged")
        splits[split] = Split(images, part.labels if rows is None else part.labels[rows])
    return Dataset(tree.class_names, splits, notes=(*tree.notes, *divided.notes))


def identity(config: FolderConfig, ctx: DataContext) -> str:
    """Returns a digest of the paths below the folder, and of the files' content."""
    root = _root(config)
    tree = _scan(config, root)
    if ctx.limit is not None:
        divided = _divide(config, tree, root, ctx.data_seed)
        return config.identity_of_few(_undigested(tree, divided, root), ctx)
    hashed = hashlib.sha256()
    for name, part in tree.parts.items():
        paths = (normalize("NFC", path) for path in part.files)
        hashed.update("\0".join((name, *paths, "")).encode())
        digests = file_digests(root, part.paths, ctx.progress, config.digest)
        hashed.update(combined_digest(digests).encode())
    return f"{config.digest}:{hashed.hexdigest()}"


def check(config: FolderConfig, ctx: DataContext) -> None:
    """Checks the folders, without reading the files."""
    root = _root(config)
    _divide(config, _scan(config, root), root, ctx.data_seed)


def _root(config: FolderConfig) -> Path:
    if config.path is None:
        raise ConfigError(
            "dataset.path: data set 'folder' needs a folder of images",
            hint=f"add --set dataset.path=FOLDER; {_LAYOUT}",
        )
    return with_home(config.path)


def _scan(config: FolderConfig, root: Path) -> ClassFolders:
    """Returns the classes, and the files of each part.

    Raises:
        ConfigError: A split is to be drawn that the folder has.
        DataError: There is no test split, and none is to be drawn.
    """
    tree = scan_class_folders(root)
    config.expect_undivided(tree.parts, str(root))
    if UNDIVIDED not in tree.parts and "test" not in tree.parts and config.test is None:
        raise DataError(
            f"{root} has no test/",
            hint=f"add --set dataset.test={DEFAULT_TEST_SHARE}, which draws test images from "
            f"train/; or {_LAYOUT}",
        )
    return tree


def _divide(config: FolderConfig, tree: ClassFolders, root: Path, data_seed: int) -> _Divided:
    """Returns the rows of each split; those that the folder does not have are drawn."""
    first = UNDIVIDED if UNDIVIDED in tree.parts else "train"
    others = {name: name for name in tree.parts if name != first}
    if first == "train" and config.test is None and config.val is None:
        return _Divided({first: first, **others}, dict.fromkeys((first, *others)), ())
    labels = tree.parts[first].labels
    share = DEFAULT_TEST_SHARE if first == UNDIVIDED else None
    members, notes = config.draw(labels, tree.class_names, share, data_seed, str(root))
    source = dict.fromkeys(members, first) | others
    return _Divided(source, dict.fromkeys(others) | members, notes)


FOLDER = DatasetSpec(
    name="folder",
    summary="own images in class folders, split by class, or in train/CLASS/ and test/CLASS/",
    config=FolderConfig,
    build=build,
    identity=identity,
    check=check,
    examples=(),
)
