"""Grocery Store Dataset: 5,421 photographs of products in shops, 81 fine or 43 coarse classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from ltbench import DataContext, DatasetSpec, option
from ltbench.data import (
    Dataset,
    FileImages,
    Preparation,
    Split,
    git_blob_sha1,
    make_lt,
    read_regular,
)
from ltbench.errors import DataError
from ltbench_plugins.datasets.parts.construction import Construction
from ltbench_plugins.datasets.parts.layout import expect_level

LISTS = {
    "classes.csv": "d1e3e2083e9c1c3c7814e306240c46a2c5b2e3b6",
    "train.txt": "f07989a675a4702f8b74fe3258ab2979dceeed78",
    "val.txt": "f021a1cb6433b6fd0163ea05f2872fad6d4e0618",
    "test.txt": "2393329de6cdc38ba95240a09499742c7ed0042c",
}
"""Published lists, by git's name of their content with plain line ends."""

SPLITS = ("train", "val", "test")
_FOLDER = "dataset"  # of the repository
_MAX_BYTES = 1 << 22  # of a list
_CLASS_COLUMNS = 6
_LINE = r"^(train|val|test)/[^,]+\.jpg, [0-9]{1,4}, [0-9]{1,4}$"
_DOWNLOAD = (
    "git clone https://github.com/marcusklasson/GroceryStoreDataset (120 MB; MIT licence), then "
    "run `ltbench data prepare grocery_store --source GroceryStoreDataset`"
)
_AGAIN = "get the repository's folder dataset/ again; its lists must be unchanged"


@dataclass(frozen=True)
class GroceryStoreConfig(Construction):
    """Options of grocery_store."""

    level: Literal["fine", "coarse"] = option(
        "fine", "classes: 81 products, or the 43 kinds that they belong to"
    )
    profile: Literal["none", "exponential", "pareto"] = option(
        "none",
        "curve of the class counts, from the class with the most images to that with the fewest; "
        "none: all images",
    )
    largest: Annotated[int, Ge(1)] | None = option(
        None,
        "training images of the largest class, with a profile; none: the most that all classes "
        "allow",
    )


def build(config: GroceryStoreConfig, ctx: DataContext) -> Dataset:
    """Builds the data set from `<data root>/grocery_store/dataset` (Klasson et al., WACV 2019).

    Splits are the official ones. Val has images of 60 of the 81 fine classes.

    Raises:
        ConfigError: A class has fewer images than the options ask for.
        DataError: A list is missing or malformed.
    """
    root = _root(ctx)
    names, class_of = _classes(root / "classes.csv", config.level)
    hint = "run `ltbench data verify grocery_store`, which lists all missing images"
    splits = {}
    for name in SPLITS:
        paths, fine = _read(root / f"{name}.txt")
        known = len(class_of)
        if fine.max() >= known:
            raise DataError(
                f"{root / name}.txt: class {fine.max()}, but classes.csv has {known} classes",
                hint=_AGAIN,
            )
        splits[name] = Split(FileImages(root, paths, hint), class_of[fine])
    dataset = Dataset(names, splits)
    if config.profile == "none":
        return dataset
    return make_lt(
        dataset, config.profile, config.ratio, ctx.data_seed, config.largest, order="counts"
    )


def identity(config: GroceryStoreConfig, ctx: DataContext) -> str:
    """Returns the git blob names of the lists, which must be the published ones."""
    return _lists_identity(_root(ctx))


def _lists_identity(root: Path) -> str:
    for name, published in LISTS.items():
        found = git_blob_sha1(_text(root / name).replace("\r\n", "\n").encode())
        if found != published:
            raise DataError(
                f"{root / name}: it is not the published list (git blob {published[:12]}, got "
                f"{found[:12]})",
                hint=_AGAIN,
            )
    return " ".join(f"{name.partition('.')[0]}:{blob}" for name, blob in LISTS.items())


def check(config: GroceryStoreConfig, ctx: DataContext) -> None:
    """Checks the lists, and that the first image of each exists.

    Raises:
        DataError: A list is not the published one, or an image is missing.
    """
    _check_folder(_root(ctx))


def _check_folder(root: Path) -> None:
    _lists_identity(root)
    for name in SPLITS:
        first = root / _read(root / f"{name}.txt")[0][0].as_py()
        if not first.is_file():
            raise DataError(f"{first} does not exist", hint=_DOWNLOAD)


def prepare(config: GroceryStoreConfig, preparation: Preparation) -> None:
    """Links the repository's folder `dataset`.

    Raises:
        DataError: There is no download, or it is not the expected one.
    """
    source = preparation.source
    if source is not None:
        inner = source / _FOLDER
        found = inner if inner.is_dir() else source
        expect_level(found, SPLITS)
        _check_folder(found)  # a link to an earlier download stays where this one is not whole
        preparation.link(_FOLDER, found)
    check(config, DataContext(preparation.folder.parent, data_seed=0))


def _root(ctx: DataContext) -> Path:
    root = ctx.root / "grocery_store" / _FOLDER
    if not root.is_dir():
        raise DataError(f"grocery_store: {root} does not exist", hint=_DOWNLOAD)
    return root


def _classes(
    path: Path, level: Literal["fine", "coarse"]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Returns the names of the classes, and the class of each fine class.

    Raises:
        DataError: The list is malformed.
    """
    names: dict[int, str] = {}
    class_of = []
    for number, line in enumerate(_text(path).splitlines()[1:]):
        fields = line.split(",")
        if len(fields) != _CLASS_COLUMNS or fields[1] != str(number) or not fields[3].isdecimal():
            raise DataError(
                f"{path}:{number + 2}: expected NAME,{number},COARSE NAME,NUMBER,IMAGE,TEXT, got "
                f"{line[:200]!r}",
                hint=_AGAIN,
            )
        name, label = (fields[0], number) if level == "fine" else (fields[2], int(fields[3]))
        names[label] = name.replace("-", " ")
        class_of.append(label)
    if sorted(names) != list(range(len(names))):
        raise DataError(f"{path}: coarse classes are not numbered from 0", hint=_AGAIN)
    return tuple(names[label] for label in range(len(names))), np.array(class_of, dtype=np.int64)


def _read(path: Path) -> tuple[Any, NDArray[np.int64]]:
    """Returns the paths of a split, a pyarrow string array, and the fine classes, (N,).

    Raises:
        DataError: The list is malformed.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    lines = pa.array(_text(path).splitlines(), pa.string())
    at = pc.index(pc.match_substring_regex(lines, _LINE), value=False).as_py()
    if at >= 0 or not len(lines):
        raise DataError(
            f"{path}:{at + 1}: expected 'SPLIT/IMAGE.jpg, FINE, COARSE', got "
            f"{lines[at].as_py()[:200] if len(lines) else ''!r}",
            hint=_AGAIN,
        )
    fields = pc.split_pattern(lines, ", ")
    labels = pc.cast(pc.list_element(fields, 1), pa.int64()).to_numpy()
    return pc.list_element(fields, 0), labels


def _text(path: Path) -> str:
    try:
        return read_regular(path, _MAX_BYTES).decode("utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist", hint=_AGAIN) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", hint=_AGAIN) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8: {error}", hint=_AGAIN) from error


GROCERY_STORE = DatasetSpec(
    name="grocery_store",
    summary="81 products in shops, 2,640 training photographs, 70 to 16 per class",
    config=GroceryStoreConfig,
    build=build,
    identity=identity,
    check=check,
    prepare=prepare,
    examples=(),
    reference="arXiv:1901.00711",
)
