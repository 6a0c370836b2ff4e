"""Own images listed in a CSV file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench import DataContext, DatasetSpec, option
from ltbench.data import (
    DEFAULT_TEST_SHARE,
    Dataset,
    Digests,
    FileImages,
    Split,
    combined_digest,
    file_digests,
    with_home,
)
from ltbench.errors import ConfigError, DataError, quoted
from ltbench_plugins.datasets.parts.classes import (
    every,
    expect_trained,
    in_normal_form,
    number_classes,
)
from ltbench_plugins.datasets.parts.csv_table import FORM, ROOT, SPLITS, CsvTable, read_table
from ltbench_plugins.datasets.parts.drawn_images import DrawnImages
from ltbench_plugins.datasets.parts.own_images import digests_of_splits

_TEST_STEP = 5  # without a split column, every fifth image of a class is a test image


@dataclass(frozen=True)
class CsvConfig(DrawnImages):
    """Options of the csv data set."""

    path: Path | None = option(
        None, "required: CSV file with the columns path, label and optionally split"
    )
    root: Path | None = option(
        None,
        "folder of the images: relative paths start there, absolute ones must lie below it; none: "
        "the folder of the CSV file",
        formerly="images",
    )

    @property
    def place(self) -> Path | None:
        """File that the default title is the name of."""
        return self.path


def build(config: CsvConfig, ctx: DataContext) -> Dataset:
    """Builds the data set from the rows of a CSV file (UTF-8, quotes as in RFC 4180).

    Labels are class names. Classes are numbered in the order of their names, or of their values if
    all names are numbers. Names are compared in Unicode's normal form C.
    The column `split` has train, val or test. A split without images is drawn by the data seed
    where `test` or `val` is set; the order of the rows changes nothing. Without a column `split`,
    and without `test` and `val`, every fifth image of each class, in the order of the file, is in
    the test split, whatever the seeds.

    Raises:
        ConfigError: No path was given, or a split is to be drawn that the file has.
        DataError: A row is malformed (named by its line), a class has no training images or too few
            for a split, or an image occurs more than once, by its path or by its content.
    """
    path, root = _places(config)
    table = read_table(path, root)
    dataset, members = _undigested(config, table, ctx.data_seed)
    if ctx.limit is not None:
        return config.finish_few(dataset, str(path), ctx)
    known = _identified.pop(_key(config, table), None)
    parts = None if known is None else {name: known[at] for name, at in members.items()}
    digests = digests_of_splits(dataset, config.digest, ctx, parts)
    return config.finish(
        dataset, digests, lambda split, at: dataset.splits[split].images.name(at), str(path), ctx
    )


def _undigested(
    config: CsvConfig, table: CsvTable, data_seed: int
) -> tuple[Dataset, dict[str, NDArray[np.int64]]]:
    """Returns the data set with all files, none of which was read, and the rows of each split."""
    path, root = _places(config)
    names, notes = in_normal_form(table.columns["label"])
    class_names, labels = number_classes(names)
    members, drawn = _members(config, path, table.columns, labels, class_names, data_seed)
    images = table.columns["path"]
    if config.duplicates == "refuse":
        _expect_once(path, table, members)
    expect_trained(str(path), class_names, labels[members["train"]])
    splits = {
        name: Split(FileImages(root, images.take(at), ROOT), labels[at])
        for name, at in members.items()
    }
    return Dataset(class_names, splits, notes=(*notes, *drawn)), members


def identity(config: CsvConfig, ctx: DataContext) -> str:
    """Returns the git blob name of the CSV file, and a digest of the images that it lists.

    The blob name does not depend on the system's line ends, nor on the folder of absolute paths.
    """
    path, root = _places(config)
    table = read_table(path, root)
    if ctx.limit is not None:
        few = config.identity_of_few(_undigested(config, table, ctx.data_seed)[0], ctx)
        return f"csv:{table.blob} {few}"
    images = file_digests(root, table.columns["path"], ctx.progress, config.digest)
    _identified.clear()
    _identified[_key(config, table)] = images
    return f"csv:{table.blob} {config.digest}:{combined_digest(images)}"


_identified: dict[tuple[object, ...], Digests] = {}
"""Digests of the table that was identified last. The build of the same run takes them: asking the
file system about a million files again would take seconds."""


def _key(config: CsvConfig, table: CsvTable) -> tuple[object, ...]:
    return (*_places(config), config.digest, table.blob)


def check(config: CsvConfig, ctx: DataContext) -> None:
    """Checks that the first, a middle and the last image exist, unless only a few are read."""
    path, root = _places(config)
    images = read_table(path, root).columns["path"]
    _expect_slashes(path, root, images)
    if ctx.limit is not None:  # these images need not be among the few
        return
    for row in (0, len(images) // 2, len(images) - 1):
        image = root / images[row].as_py()
        if not image.is_file():
            raise DataError(f"{path}:{row + 2}: {image} does not exist", hint=ROOT)


def _expect_slashes(path: Path, root: Path, images: Any) -> None:
    """Raises a `DataError` for a path with backslashes, as on Windows, that is not a file here."""
    import pyarrow.compute as pc

    row = pc.index(pc.match_substring(images, "\\"), value=True).as_py()
    if row >= 0 and not (root / images[row].as_py()).is_file():
        name = images[row].as_py()
        readable = (root / name.replace("\\", "/")).is_file()
        raise DataError(
            f"{path}:{row + 2}: {quoted(name)} has backslashes, and no file has this name",
            hint="write paths with /" + (", which finds this image" if readable else f"; {ROOT}"),
        )


def _places(config: CsvConfig) -> tuple[Path, Path]:
    """Returns the CSV file, and the folder of its relative paths."""
    if config.path is None:
        raise ConfigError(
            "dataset.path: data set 'csv' needs a CSV file",
            hint=f"add --set dataset.path=FILE.csv; {FORM}",
        )
    path = with_home(config.path)
    return path, (with_home(config.root) if config.root else path.parent)


def _members(
    config: CsvConfig,
    path: Path,
    columns: dict[str, Any],
    labels: NDArray[np.int64],
    class_names: tuple[str, ...],
    data_seed: int,
) -> tuple[dict[str, NDArray[np.int64]], tuple[str, ...]]:
    """Returns the rows of each split, and notes about drawn ones."""
    import pyarrow.compute as pc

    listed = "split" in columns
    notes: tuple[str, ...] = ()
    if listed:
        members = {name: np.flatnonzero(pc.equal(columns["split"], name)) for name in SPLITS}
    elif config.test is None and config.val is None:
        held = every(labels, _TEST_STEP)
        members = {"train": np.flatnonzero(~held), "test": np.flatnonzero(held)}
    else:
        members = {"train": np.arange(len(labels))}
    members = {name: at for name, at in members.items() if len(at)}
    config.expect_undivided(members, str(path))
    if "train" in members and (config.test is not None or config.val is not None):
        pool = _in_order_of_paths(members["train"], columns["path"], labels)
        share = None if "test" in members else DEFAULT_TEST_SHARE if not listed else config.test
        drawn, notes = config.draw(labels[pool], class_names, share, data_seed, str(path))
        members |= {name: np.sort(pool[at]) for name, at in drawn.items()}
    for name in ("train", "test"):
        if name not in members:
            raise DataError(f"{path} has no images for {name}", hint=_hint(name, listed))
    return members, notes


def _in_order_of_paths(
    rows: NDArray[np.int64], paths: Any, labels: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Returns rows class by class in the order of their paths: a draw depends on no other order."""
    import pyarrow.compute as pc

    place = np.empty(len(rows), np.int64)
    place[pc.sort_indices(paths.take(rows)).to_numpy()] = np.arange(len(rows))
    return rows[np.lexsort((place, labels[rows]))]


def _hint(split: str, listed: bool) -> str:
    """Returns the hint for a split without images."""
    if not listed:
        return "add images, or --set dataset.test=0.2: every fifth image of a class is for test"
    drawn = ", or add --set dataset.test=0.2, which draws it" if split == "test" else ""
    return f"set the split of some rows to {split}{drawn}"


def _expect_once(path: Path, table: CsvTable, members: dict[str, NDArray[np.int64]]) -> None:
    """Raises a `DataError` for an image that is listed twice, with its two lines."""
    rows = table.repeated
    if not len(rows):
        return
    named = table.columns["path"].take(rows).dictionary_encode().indices.to_numpy()
    _, first = np.unique(named, return_index=True)
    later = np.ones(len(rows), dtype=bool)
    later[first] = False
    if not later.any():
        return
    at = int(np.flatnonzero(later)[0])
    row, earlier = int(rows[at]), int(rows[np.flatnonzero(named == named[at])[0]])
    one, other = (
        next(name for name, part in members.items() if (part == each).any())
        for each in (earlier, row)
    )
    where = f"in {one} twice" if one == other else f"in {one} and in {other}"
    raise DataError(
        f"{path}:{row + 2}: {quoted(table.columns['path'][row].as_py())} is {where}, first in line "
        f"{earlier + 2} ({int(later.sum()):,} such lines)",
        hint="add --set dataset.duplicates=drop, which keeps each image once, in test before "
        "train; or list each image once",
    )


def list_settings(file: Path, root: Path | None) -> dict[str, str]:
    """Returns the settings that read a CSV file."""
    settings = {"dataset.path": str(file)}
    return settings if root is None else {**settings, "dataset.root": str(root)}


CSV = DatasetSpec(
    name="csv",
    summary="own images listed in a CSV file with the columns path, label, optionally split",
    config=CsvConfig,
    build=build,
    identity=identity,
    check=check,
    list_settings=list_settings,
    examples=(),
)
