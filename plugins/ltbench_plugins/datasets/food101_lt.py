"""Food-101 made long-tailed: 101 dishes, by default 750 to 7 training images per class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ltbench import DataContext, DatasetSpec, option
from ltbench.data import (
    Dataset,
    FileImages,
    Preparation,
    Split,
    counts_rule,
    list_identity,
    read_regular,
)
from ltbench.errors import DataError
from ltbench_plugins.datasets.parts.construction import Construction
from ltbench_plugins.datasets.parts.layout import expect_level

NUM_CLASSES = 101
ROWS = {"train": 75_750, "test": 25_250}
_MAX_UNPACKED_BYTES = 12 << 30  # twice the content of the archive
_MAX_BYTES = 1 << 27  # of a list
_ARCHIVE = "food-101"
_DOWNLOAD = (
    "download http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz (5 GB; images from "
    "foodspotting.com, for research only), then run `ltbench data prepare food101_lt --source "
    "PATH` with this file, or with its unpacked folder food-101"
)
_AGAIN = "copy meta/ from the published archive again"


@dataclass(frozen=True)
class Food101Config(Construction):
    """Options of food101_lt."""

    profile: Literal["none", "exponential", "pareto"] = option(
        "exponential", "curve of the class counts in the order of names; none: all equal"
    )


def build(config: Food101Config, ctx: DataContext) -> Dataset:
    """Builds the data set from Food-101 in `<data root>/food101_lt/food-101` (Bossard et al.).

    Training and test split are the official ones, 750 and 250 images of each dish; the training
    split is then reduced by `ltbench.data.make_lt`. Labels of training images are noisy, those of
    test images are clean.

    Raises:
        ConfigError: A class has fewer images than the options ask for.
        DataError: A list is missing or malformed.
    """
    root = _root(ctx)
    classes = _lines(root / "meta" / "classes.txt")
    if len(classes) != NUM_CLASSES:
        raise DataError(
            f"{root / 'meta' / 'classes.txt'}: expected {NUM_CLASSES} classes, got {len(classes)}",
            hint=_AGAIN,
        )
    splits = {name: _split(root, name, classes) for name in ROWS}
    names = tuple(name.replace("_", " ") for name in classes.to_pylist())
    return config.of(Dataset(names, splits), ctx)


def identity(config: Food101Config, ctx: DataContext) -> str:
    """Returns the git blob names of the lists."""
    meta = _root(ctx) / "meta"
    listed = " ".join(f"{name}:{list_identity(meta / f'{name}.txt')}" for name in ROWS)
    if config.profile != "exponential":
        return listed
    largest = config.largest or ROWS["train"] // NUM_CLASSES
    return listed + counts_rule(NUM_CLASSES, largest, config.ratio)


def check(config: Food101Config, ctx: DataContext) -> None:
    """Checks that the first image of each list exists.

    Raises:
        DataError: An image is missing.
    """
    root = _root(ctx)
    classes = _lines(root / "meta" / "classes.txt")
    for name in ROWS:
        images = _split(root, name, classes).images
        if not (root / images.name(0)).is_file():
            raise DataError(f"{root / images.name(0)} does not exist", hint=_DOWNLOAD)


def prepare(config: Food101Config, preparation: Preparation) -> None:
    """Links an unpacked download of Food-101, or unpacks it.

    Raises:
        DataError: There is no download, or it is not the expected one.
    """
    source = preparation.source
    if source is not None and source.is_file():
        _expect_room(preparation.folder)
        preparation.unpack(source, ".", _MAX_UNPACKED_BYTES)  # the archive contains food-101/
    elif source is not None:
        expect_level(source, ("images", "meta"))
        preparation.link(_ARCHIVE, source)
    check(config, DataContext(preparation.folder.parent, data_seed=0))


def _expect_room(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise DataError(
            f"{folder} is not empty: the archive is not unpacked into it",
            hint="set --source to your unpacked folder food-101, or choose another --data-root",
        )


def _root(ctx: DataContext) -> Path:
    folder = ctx.root / "food101_lt"
    root = folder / _ARCHIVE
    if all((root / name).is_dir() for name in ("images", "meta")):
        return root
    if all((folder / name).is_dir() for name in ("images", "meta")):
        raise DataError(f"{folder} holds images/ and meta/ itself", hint=f"move them into {root}")
    if root.is_dir():
        lacking = "images/" if not (root / "images").is_dir() else "meta/"
        raise DataError(f"{root} has no {lacking}", hint=_DOWNLOAD)
    raise DataError(f"food101_lt: {root} does not exist", hint=_DOWNLOAD)


def _split(root: Path, name: str, classes: Any) -> Split:
    """Returns an official split with all of its images."""
    import pyarrow.compute as pc

    path = root / "meta" / f"{name}.txt"
    lines = _lines(path)
    labels = pc.index_in(pc.replace_substring_regex(lines, "/[0-9]+$", ""), value_set=classes)
    fine = pc.and_(pc.is_valid(labels), pc.match_substring_regex(lines, "/[0-9]+$"))
    at = pc.index(fine, value=False).as_py()
    if at >= 0:
        raise DataError(
            f"{path}:{at + 1}: expected CLASS/NUMBER, got {lines[at].as_py()[:200]!r}", hint=_AGAIN
        )
    if len(lines) != ROWS[name]:
        raise DataError(f"{path}: expected {ROWS[name]:,} lines, got {len(lines):,}", hint=_AGAIN)
    paths = pc.binary_join_element_wise("images/", lines, ".jpg", "")
    hint = "run `ltbench data verify food101_lt`, which lists all missing images"
    return Split(FileImages(root, paths, hint), labels.to_numpy().astype(np.int64))


def _lines(path: Path) -> Any:
    """Returns the lines of a file, as a pyarrow string array."""
    import pyarrow as pa

    try:
        text = read_regular(path, _MAX_BYTES).decode()
        return pa.array(text.splitlines(), pa.string())
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}", hint=_AGAIN) from error


FOOD101_LT = DatasetSpec(
    name="food101_lt",
    summary="101 dishes, 16,454 training images, 750 to 7 per class",
    config=Food101Config,
    build=build,
    identity=identity,
    check=check,
    prepare=prepare,
    examples=(),
    reference="doi:10.1007/978-3-319-10599-4_29",
)
