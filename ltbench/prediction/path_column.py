"""Paths of images in a CSV file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ltbench.errors import DataError, quoted, shortened
from ltbench.io.reading import read_regular

COLUMN = "path"
_FORM = f"save it in UTF-8 with commas and a first line that names the columns, such as {COLUMN}"
_MAX_BYTES = 2**31 - 1  # a column of pyarrow's strings has no more


def read_paths(path: Path) -> Iterator[str]:
    """Yields the column `path` of a CSV file (UTF-8, quotes as in RFC 4180).

    Relative paths are relative to the folder of the file. Paths may be written as on Windows, with
    backslashes, unless a file of that very name exists. Other columns are ignored.

    Args:
        path: The CSV file.

    Raises:
        DataError: The file cannot be read, has no such column, or a row is malformed or has no
            path; rows are named by their line.
    """
    folder, number = "" if path.parent == Path() else str(path.parent), 1
    for number, written in enumerate(_column(path), start=2):
        if not written:
            raise DataError(f"{path}:{number}: {COLUMN} is missing", hint="fill in each row")
        yield _located(folder, written)
    if number == 1:
        raise DataError(f"{path} lists no images", hint="write one path on each line")


def _located(folder: str, written: str) -> str:
    """Returns the path of a file whose path is written in a folder's CSV file."""
    located = os.path.join(folder, written)  # noqa: PTH118  # no Path: a million of them are slow
    if "\\" not in written or os.sep == "\\" or os.path.lexists(located):
        return located
    return os.path.join(folder, written.replace("\\", "/"))  # noqa: PTH118


def _column(path: Path) -> Iterator[str]:
    """Yields the values of the column, the empty text for one that is missing."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    content = _content(path)
    _expect_column(path, content)
    bad: list[Any] = []

    def note(row: Any) -> str:
        bad.append(row)
        return "skip"

    options = arrow.ConvertOptions(
        column_types={COLUMN: pa.string()}, include_columns=[COLUMN], strings_can_be_null=False
    )
    try:
        table = arrow.read_csv(
            pa.BufferReader(content),
            arrow.ReadOptions(use_threads=False),  # threads do not report the number of a row
            arrow.ParseOptions(ignore_empty_lines=False, invalid_row_handler=note),
            options,
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:  # the latter: a header of two lines
        raise DataError(f"{path} is not a CSV file: {shortened(str(error))}", hint=_FORM) from error
    if bad:
        raise DataError(
            f"{path}:{bad[0].number}: expected {bad[0].expected_columns} fields, as in the header, "
            f"got {bad[0].actual_columns}",
            hint='put a field with a comma in quotes: "a,b.jpg"',
        )
    for chunk in table.column(COLUMN).chunks:
        yield from (value.as_py() for value in chunk)


def _content(path: Path) -> bytes:
    """Returns the content of a file without a byte-order mark and empty lines at its end."""
    try:
        content = read_regular(path, _MAX_BYTES)
        content.decode()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", hint=_FORM) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}:{line}: is not UTF-8", hint="save it in UTF-8") from error
    return content.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n") + b"\n"


def _expect_column(path: Path, content: bytes) -> None:
    """Checks that the header has the column once."""
    line = content[: content.index(b"\n")].decode()
    try:
        header = next(csv.reader([line]), [])
    except csv.Error as error:
        raise DataError(f"{path}: the first line is not a header: {error}", hint=_FORM) from error
    if header.count(COLUMN) != 1:
        times = header.count(COLUMN)
        found = f"it {times} times" if times else shortened(line.strip()) or "nothing"
        raise DataError(
            f"{path}: expected a column {quoted(COLUMN)}, got {found}",
            hint=_FORM,
        )
