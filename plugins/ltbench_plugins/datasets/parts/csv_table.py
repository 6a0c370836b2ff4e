"""Rows of a CSV file that lists images, read in one pass and checked."""

from __future__ import annotations

import codecs
import csv
import functools
import io
import stat
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.data import git_blob_sha1
from ltbench.errors import DataError, MissingPathError, quoted, shortened
from ltbench_plugins.datasets.parts.csv_paths import outside_hint, relative_paths

SPLITS = ("train", "val", "test")
FORM = (
    "the first line is path,label or path,label,split, with commas; every other line is an image, "
    "and split is train, val or test"
)
ROOT = "set dataset.root to the folder that the paths lie in"
_OUTSIDE = r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)"
_MAX_BYTES = 2**31 - 1  # a column of pyarrow's strings has no more
_MAX_PATH_CHARACTERS = 1_000
_BYTES_PER_PART = 1 << 20
_ROWS_PER_PART = 1 << 14


@dataclass(frozen=True)
class CsvTable:
    """Checked rows of a CSV file.

    Args:
        columns: Pyarrow string arrays of N rows, by name.
        repeated: Rows whose path may occur more than once, ascending; they include all that do.
        blob: Git blob name of the file, which does not depend on the system's line ends; where
            paths are absolute, that of the file with relative ones.
    """

    columns: dict[str, Any]
    repeated: NDArray[np.int64]
    blob: str


def read_table(path: Path, root: Path) -> CsvTable:
    """Returns the rows of a CSV file (UTF-8, quotes as in RFC 4180).

    Args:
        path: The file.
        root: Folder of the images: absolute paths below it become relative.

    Raises:
        MissingPathError: It does not exist.
        DataError: It cannot be read, or a row is malformed (named by its line).
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise MissingPathError(
            f"{path} does not exist", hint="set dataset.path to a CSV file"
        ) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", hint=FORM) from error
    if stat.S_ISDIR(status.st_mode):
        raise DataError(
            f"{path} is a folder, not a CSV file", hint="use --dataset folder for class folders"
        )
    if not stat.S_ISREG(status.st_mode):  # reading a pipe would block
        raise DataError(f"{path} is not a regular file", hint="set dataset.path to a CSV file")
    if status.st_size > _MAX_BYTES:
        raise DataError(
            f"{path} has {status.st_size:,} bytes: expected at most {_MAX_BYTES:,}", hint=FORM
        )
    stamp = status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
    return _read(path, str(root), stamp)


@functools.lru_cache(maxsize=1)
def _read(path: Path, root: str, stamp: tuple[int, ...]) -> CsvTable:
    """Returns the rows; identity, check and build of a run read a file once.

    Args:
        path: The file.
        root: Folder of the images.
        stamp: Numbers that change when the file does.
    """
    content = _content(path)
    columns, moved = _columns(path, root, content)
    repeated = _repeated_rows(columns["path"])
    _expect_one_label(path, columns, repeated)
    return CsvTable(columns, repeated, git_blob_sha1(_as_file(columns) if moved else content))


def _content(path: Path) -> bytes:
    """Returns the content of a CSV file with unified line ends and without a byte-order mark."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", hint=FORM) from error
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content) + 1, _BYTES_PER_PART):  # as a whole, it takes much memory
        part = content[start : start + _BYTES_PER_PART]
        try:
            decoder.decode(part, final=start + len(part) == len(content))
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, start + error.start) + 1
            raise DataError(f"{path}:{line}: is not UTF-8", hint="save it in UTF-8") from error
    content = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    # Stripped only where that changes something: a copy takes as much memory as the file.
    whole = content.endswith(b"\n") and not content.endswith(b"\n\n")
    return content if whole else content.rstrip(b"\n") + b"\n"


def _columns(path: Path, root: str, content: bytes) -> tuple[dict[str, Any], bool]:
    """Returns the checked columns by name, as pyarrow string arrays.

    Also returns whether absolute paths became relative.

    Raises:
        DataError: A row is malformed.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow

    names = _header(path, content)
    bad: list[Any] = []

    def note(row: Any) -> str:
        bad.append(row)
        return "skip"

    try:
        table = arrow.read_csv(
            pa.BufferReader(content),
            arrow.ReadOptions(use_threads=False),  # threads do not report the number of a row
            arrow.ParseOptions(ignore_empty_lines=False, invalid_row_handler=note),
            arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), include_columns=names
            ),
        )
    except pa.ArrowInvalid as error:
        raise DataError(f"{path} is not a CSV file: {shortened(str(error))}", hint=FORM) from error
    if bad:
        raise DataError(
            f"{path}:{bad[0].number}: expected {bad[0].expected_columns} fields, as in the header, "
            f"got {bad[0].actual_columns}",
            hint='put a field with a comma in quotes: "a,b.jpg"',
        )
    if not len(table):
        raise DataError(f"{path} lists no images", hint=FORM)
    columns = {name: table.column(name).combine_chunks() for name in names}
    relative = relative_paths(columns["path"], root)
    moved = relative is not columns["path"]
    columns["path"] = relative
    _expect_rows(path, columns)
    columns["path"] = pc.replace_substring_regex(columns["path"], r"(^|/)(\./|/)+", r"\1")
    return columns, moved


def _as_file(columns: dict[str, Any]) -> bytes:
    """Returns checked columns as the content of a CSV file, with quotes where they are needed."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(values.to_pylist() for values in columns.values()), strict=True))
    return text.getvalue().encode()


def _repeated_rows(paths: Any) -> NDArray[np.int64]:
    """Returns the rows whose path has the hash of another one, ascending.

    A dictionary of a million paths would take a hundred megabytes; their hashes take eight.
    """
    hashes = np.empty(len(paths), np.int64)
    for start in range(0, len(paths), _ROWS_PER_PART):
        part = paths.slice(start, _ROWS_PER_PART).to_pylist()
        hashes[start : start + len(part)] = list(map(hash, part))
    ordered = np.sort(hashes)
    several = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    return np.flatnonzero(np.isin(hashes, several)) if len(several) else np.empty(0, np.int64)


def _expect_one_label(path: Path, columns: dict[str, Any], repeated: NDArray[np.int64]) -> None:
    """Raises a `DataError` for an image that is listed with two classes."""
    paths, labels = (columns[name].take(repeated).dictionary_encode() for name in ("path", "label"))
    kinds = max(1, len(labels.dictionary))
    pairs = np.unique(paths.indices.to_numpy().astype(np.int64) * kinds + labels.indices.to_numpy())
    images, times = np.unique(pairs // kinds, return_counts=True)
    if len(pairs) > len(images):
        name = paths.dictionary[int(images[times > 1][0])].as_py()
        raise DataError(f"{path}: {quoted(name)} has two labels", hint="keep one of the labels")


def _header(path: Path, content: bytes) -> list[str]:
    """Returns the known columns in the header."""
    line = content[: content.index(b"\n")].decode()
    try:
        header = next(csv.reader([line]), [])
    except csv.Error as error:
        raise DataError(f"{path}: the first line is not a header: {error}", hint=FORM) from error
    repeated = [name for name, count in Counter(header).items() if count > 1]
    if repeated or "path" not in header or "label" not in header:
        what = (
            f"{quoted(repeated[0])} twice" if repeated else shortened(",".join(header)) or "nothing"
        )
        raise DataError(f"{path}: expected a header with path and label, got {what}", hint=FORM)
    return [name for name in ("path", "label", "split") if name in header]


def _expect_rows(path: Path, columns: dict[str, Any]) -> None:
    """Raises a `DataError` for the first row with a fault."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name, values in columns.items():  # first, because a line break would shift line numbers
        _expect(path, values, r"[\x00-\x1f]", f"{name} {{}} has a control character")
    for name, values in columns.items():
        _expect(path, values, r"^$", f"{name} is missing")
        _expect(path, values, r"^\s|\s$", f"{name} {{}} begins or ends with a blank")
    short = pc.less_equal(pc.utf8_length(columns["path"]), _MAX_PATH_CHARACTERS)
    what = f"path {{}} is too long: expected at most {_MAX_PATH_CHARACTERS:,} characters"
    _raise_at(path, columns["path"], short, what)
    hint = outside_hint(columns["path"]) or ROOT
    _expect(path, columns["path"], _OUTSIDE, "{} is not a path below the image folder", hint)
    if "split" in columns:
        known = pc.is_in(columns["split"], value_set=pa.array(SPLITS))
        _raise_at(path, columns["split"], known, "expected split train, val or test, got {}")


def _expect(path: Path, values: Any, fault: str, message: str, hint: str = FORM) -> None:
    import pyarrow.compute as pc

    valid = pc.invert(pc.match_substring_regex(values, fault))
    _raise_at(path, values, valid, message, hint)


def _raise_at(path: Path, values: Any, valid: Any, message: str, hint: str = FORM) -> None:
    import pyarrow.compute as pc

    at = pc.index(valid, value=False).as_py()
    if at >= 0:
        shown = quoted(values[at].as_py())
        raise DataError(f"{path}:{at + 2}: {message.format(shown)}", hint=hint)
