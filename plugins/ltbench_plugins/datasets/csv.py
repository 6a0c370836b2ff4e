"""Own images listed in a CSV file."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench import DataContext, DatasetSpec, option
from ltbench.data import (
    Dataset,
    FileImages,
    Split,
    combined_digest,
    file_digests,
    git_blob_sha1,
)
from ltbench.errors import ConfigError, DataError
from ltbench_plugins.datasets.parts.classes import (
    every,
    expect_trained,
    in_normal_form,
    number_classes,
)
from ltbench_plugins.datasets.parts.own_images import OwnImages, digests_of_splits

SPLITS = ("train", "val", "test")
_TEST_STEP = 5  # without a split column, every fifth image of a class is a test image
_FORM = (
    "the first line is path,label or path,label,split, with commas; every other line is an image, "
    "and split is train, val or test"
)
_ROOT = "set dataset.images to the folder of the relative paths"
_OUTSIDE = r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)"


@dataclass(frozen=True)
class CsvConfig(OwnImages):
    """Options of the csv data set."""

    path: Path | None = option(
        None, "required: CSV file with the columns path, label and optionally split"
    )
    images: Path | None = option(
        None, "folder of the relative paths; none: the folder of the CSV file"
    )


def build(config: CsvConfig, ctx: DataContext) -> Dataset:
    """Builds the data set from the rows of a CSV file (UTF-8, quotes as in RFC 4180).

    Labels are class names. Classes are numbered in the order of their names, or of their values if
    all names are numbers. Names are compared in Unicode's normal form C.
    The column `split` has train, val or test. Without it, every fifth image of each class, in the
    order of the file, is in the test split, whatever the seeds.

    Raises:
        ConfigError: No path was given.
        DataError: A row is malformed (named by its line), a class has no training images, or an
            image occurs more than once, by its path or by its content.
    """
    path, root = _places(config)
    columns = _columns(path)
    names, notes = in_normal_form(columns["label"])
    class_names, labels = number_classes(names)
    members = _members(path, columns, labels)
    images = columns["path"]
    if config.duplicates == "refuse":
        _expect_once(path, images, members)
    expect_trained(str(path), class_names, labels[members["train"]])
    splits = {
        name: Split(FileImages(root, images.take(at), _ROOT), labels[at])
        for name, at in members.items()
    }
    dataset = Dataset(class_names, splits, notes=notes)
    digests = digests_of_splits(dataset, config.digest, ctx)
    return config.finish(
        dataset, digests, lambda split, at: splits[split].images.name(at), str(path), ctx
    )


def identity(config: CsvConfig, ctx: DataContext) -> str:
    """Returns the git blob name of the CSV file, and a digest of the images that it lists.

    The blob name does not depend on the system's line ends.
    """
    path, root = _places(config)
    images = file_digests(root, _columns(path)["path"], ctx.progress, config.digest)
    return f"csv:{git_blob_sha1(_content(path))} {config.digest}:{combined_digest(images)}"


def check(config: CsvConfig, ctx: DataContext) -> None:
    """Checks that the first, a middle and the last image exist."""
    path, root = _places(config)
    images = _columns(path)["path"]
    _expect_slashes(path, root, images)
    for row in (0, len(images) // 2, len(images) - 1):
        image = root / images[row].as_py()
        if not image.is_file():
            raise DataError(f"{path}:{row + 2}: {image} does not exist", hint=_ROOT)


def _expect_slashes(path: Path, root: Path, images: Any) -> None:
    """Raises a `DataError` for a path with backslashes, as on Windows, that is not a file here."""
    import pyarrow.compute as pc

    row = pc.index(pc.match_substring(images, "\\"), value=True).as_py()
    if row >= 0 and not (root / images[row].as_py()).is_file():
        name = images[row].as_py()
        readable = (root / name.replace("\\", "/")).is_file()
        raise DataError(
            f"{path}:{row + 2}: {name!r} has backslashes, and no file has this name",
            hint="write paths with /" + (", which finds this image" if readable else f"; {_ROOT}"),
        )


def _places(config: CsvConfig) -> tuple[Path, Path]:
    """Returns the CSV file, and the folder of its relative paths."""
    if config.path is None:
        raise ConfigError(
            "dataset.path: data set 'csv' needs a CSV file",
            hint=f"add --set dataset.path=FILE.csv; {_FORM}",
        )
    path = config.path.expanduser()
    return path, (config.images.expanduser() if config.images else path.parent)


def _content(path: Path) -> bytes:
    """Returns the content of a CSV file with unified line ends and without a byte-order mark."""
    try:
        content = path.read_bytes()
        content.decode()
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist", hint="set dataset.path to a CSV file") from error
    except IsADirectoryError as error:
        raise DataError(
            f"{path} is a folder, not a CSV file", hint="use --dataset folder for class folders"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}", hint="save it in UTF-8") from error
    return content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"


def _columns(path: Path) -> dict[str, Any]:
    """Returns the checked columns by name, as pyarrow string arrays.

    Raises:
        DataError: A row is malformed.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow

    content = _content(path)
    names = _header(path, content)
    bad: list[Any] = []

    def note(row: Any) -> str:
        bad.append(row)
        return "skip"

    try:
        table = arrow.read_csv(
            io.BytesIO(content),
            arrow.ReadOptions(use_threads=False),  # threads do not report the number of a row
            arrow.ParseOptions(ignore_empty_lines=False, invalid_row_handler=note),
            arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), include_columns=names
            ),
        )
    except pa.ArrowInvalid as error:
        raise DataError(f"{path} is not a CSV file: {error}", hint=_FORM) from error
    if bad:
        raise DataError(
            f"{path}:{bad[0].number}: expected {bad[0].expected_columns} fields, as in the header, "
            f"got {bad[0].actual_columns}",
            hint='put a field with a comma in quotes: "a,b.jpg"',
        )
    if not len(table):
        raise DataError(f"{path} lists no images", hint=_FORM)
    columns = {name: table.column(name).combine_chunks() for name in names}
    _expect_rows(path, columns)
    columns["path"] = pc.replace_substring_regex(columns["path"], r"(^|/)(\./|/)+", r"\1")
    _expect_one_label(path, columns)
    return columns


def _expect_one_label(path: Path, columns: dict[str, Any]) -> None:
    """Raises a `DataError` for an image that is listed with two classes."""
    paths, labels = (columns[name].dictionary_encode() for name in ("path", "label"))
    kinds = len(labels.dictionary)
    pairs = np.unique(paths.indices.to_numpy().astype(np.int64) * kinds + labels.indices.to_numpy())
    images, times = np.unique(pairs // kinds, return_counts=True)
    if len(pairs) > len(images):
        name = paths.dictionary[int(images[times > 1][0])].as_py()
        raise DataError(f"{path}: {name!r} has two labels", hint="keep one of the labels")


def _header(path: Path, content: bytes) -> list[str]:
    """Returns the known columns in the header."""
    line = content.split(b"\n", 1)[0].decode()
    try:
        header = next(csv.reader([line]), [])
    except csv.Error as error:
        raise DataError(f"{path}: the first line is not a header: {error}", hint=_FORM) from error
    repeated = [name for name in header if header.count(name) > 1]
    if repeated or "path" not in header or "label" not in header:
        what = f"{repeated[0]!r} twice" if repeated else ",".join(header)[:200] or "nothing"
        raise DataError(f"{path}: expected a header with path and label, got {what}", hint=_FORM)
    return [name for name in ("path", "label", "split") if name in header]


def _expect_rows(path: Path, columns: dict[str, Any]) -> None:
    """Raises a `DataError` for the first row with a fault."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name, values in columns.items():  # first, because a line break would shift line numbers
        _expect(path, values, r"[\x00-\x1f]", f"{name} {{!r}} has a control character")
    for name, values in columns.items():
        _expect(path, values, r"^$", f"{name} is missing")
        _expect(path, values, r"^\s|\s$", f"{name} {{!r}} begins or ends with a blank")
    _expect(path, columns["path"], _OUTSIDE, "{!r} is not a path below the image folder", _ROOT)
    if "split" in columns:
        known = pc.is_in(columns["split"], value_set=pa.array(SPLITS))
        _raise_at(path, columns["split"], known, "expected split train, val or test, got {!r}")


def _expect(path: Path, values: Any, fault: str, message: str, hint: str = _FORM) -> None:
    import pyarrow.compute as pc

    valid = pc.invert(pc.match_substring_regex(values, fault))
    _raise_at(path, values, valid, message, hint)


def _raise_at(path: Path, values: Any, valid: Any, message: str, hint: str = _FORM) -> None:
    import pyarrow.compute as pc

    at = pc.index(valid, value=False).as_py()
    if at >= 0:
        shown = values[at].as_py()[:200]
        raise DataError(f"{path}:{at + 2}: {message.format(shown)}", hint=hint)


def _members(
    path: Path, columns: dict[str, Any], labels: NDArray[np.int64]
) -> dict[str, NDArray[np.int64]]:
    """Returns the rows of each split."""
    import pyarrow.compute as pc

    if "split" in columns:
        members = {name: np.flatnonzero(pc.equal(columns["split"], name)) for name in SPLITS}
    else:
        held = every(labels, _TEST_STEP)
        members = {"train": np.flatnonzero(~held), "test": np.flatnonzero(held)}
    for name in ("train", "test"):
        if not len(members[name]):
            raise DataError(
                f"{path} has no images for {name}",
                hint=f"set the split of some rows to {name}"
                if "split" in columns
                else "add images: without a column split, every fifth image of a class is for test",
            )
    return {name: at for name, at in members.items() if len(at)}


def _expect_once(path: Path, images: Any, members: dict[str, NDArray[np.int64]]) -> None:
    """Raises a `DataError` for an image that is listed twice, with its two lines."""
    rows = np.sort(np.concatenate(list(members.values())))
    named = images.take(rows).dictionary_encode().indices.to_numpy()
    _, first = np.unique(named, return_index=True)
    if len(first) == len(rows):
        return
    later = np.ones(len(rows), dtype=bool)
    later[first] = False
    at = int(np.flatnonzero(later)[0])
    row, earlier = int(rows[at]), int(rows[np.flatnonzero(named == named[at])[0]])
    split_of = {name: set(part.tolist()) for name, part in members.items()}
    one, other = (
        next(name for name, part in split_of.items() if each in part) for each in (earlier, row)
    )
    where = f"in {one} twice" if one == other else f"in {one} and in {other}"
    raise DataError(
        f"{path}:{row + 2}: {images[row].as_py()!r} is {where}, first in line {earlier + 2} "
        f"({int(later.sum()):,} such lines)",
        hint="add --set dataset.duplicates=drop, which keeps each image once, in test before "
        "train; or list each image once",
    )


CSV = DatasetSpec(
    name="csv",
    summary="own images listed in a CSV file with the columns path, label, optionally split",
    config=CsvConfig,
    build=build,
    identity=identity,
    check=check,
    examples=(),
)
