"""Files of predictions, written row by row and put in place when they are whole."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TextIO

from ltbench.io.files import replacing_file
from ltbench.io.text import csv_text
from ltbench.prediction.prediction_table import PredictionRow, SkippedImage, column_names
from ltbench.storage.files import make_folder, writing

_ROWS_PER_GROUP = 1 << 14  # of a Parquet file; as many are in memory


class PredictionWriter(Protocol):
    """Writer of the rows of predictions."""

    def write(self, rows: Sequence[PredictionRow]) -> None:
        """Writes some rows."""
        ...


@contextmanager
def csv_file(path: Path, top: int) -> Iterator[PredictionWriter]:
    """Yields the writer of a CSV file (RFC 4180), which is put in place at the end of the block.

    Args:
        path: The file.
        top: Number of classes of each image.

    Raises:
        RunError: The file cannot be written.
    """
    make_folder(path.parent)
    with _replacing(path) as file:
        writer = _CsvRows(file, path)
        writer.write_header(column_names(top))
        yield writer


@contextmanager
def parquet_file(path: Path, top: int, about: Mapping[str, str]) -> Iterator[PredictionWriter]:
    """Yields the writer of a Parquet file, which is put in place at the end of the block.

    Args:
        path: The file.
        top: Number of classes of each image.
        about: Metadata of the file.

    Raises:
        RunError: The file cannot be written.
    """
    make_folder(path.parent)
    with _replacing(path) as file:
        writer = _ParquetRows(file, path, top, about)
        try:
            yield writer
            writer.close()
        finally:
            writer.abandon()


class JsonObject:
    """A JSON object with a list of predictions, written to a stream while they are made.

    Args:
        out: The stream.
        about: First keys of the object.
    """

    def __init__(self, out: TextIO, about: Mapping[str, Any]) -> None:
        self._out = out
        self._separator = "\n"
        self._count = 0
        head = json.dumps({**about, "predictions": []}, indent=2, allow_nan=False)
        out.write(head.removesuffix("]\n}"))

    def write(self, rows: Sequence[PredictionRow]) -> None:
        """Writes some rows, each on a line."""
        for row in rows:
            ranked = zip(row.classes, row.names, row.probabilities, strict=True)
            classes = [
                {"class": name, "class_id": class_id, "probability": probability}
                for class_id, name, probability in ranked
            ]
            line = json.dumps({"path": _as_utf8(row.path), "classes": classes}, allow_nan=False)
            self._out.write(f"{self._separator}    {line}")
            self._separator = ",\n"
        self._count += len(rows)

    def close(self, skipped: Sequence[SkippedImage]) -> None:
        """Writes the last keys: the number of predictions and the skipped images."""
        unread = [{"path": _as_utf8(one.path), "reason": one.reason} for one in skipped]
        tail = json.dumps({"images": self._count, "skipped": unread}, indent=2)
        self._out.write(f"\n  ],{tail.removeprefix('{')}\n")


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Yields a file as `replacing_file` does; errors about it are RunErrors, others stay."""
    manager = replacing_file(path)
    with writing(path):
        file = manager.__enter__()
    try:
        yield file
    except BaseException as error:
        manager.__exit__(type(error), error, error.__traceback__)
        raise
    with writing(path):
        manager.__exit__(None, None, None)


class _CsvRows:
    """Rows of a CSV file.

    Args:
        file: The file.
        path: Its path, for messages.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path

    def write_header(self, names: Sequence[str]) -> None:
        self._write([names])

    def write(self, rows: Sequence[PredictionRow]) -> None:
        self._write([[csv_text(value) for value in row.values()] for row in rows])

    def _write(self, lines: Sequence[Sequence[str]]) -> None:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\r\n").writerows(lines)
        with writing(self._path):
            self._file.write(buffer.getvalue().encode())


class _ParquetRows:
    """Rows of a Parquet file.

    Args:
        file: The file.
        path: Its path, for messages.
        top: Number of classes of each image.
        about: Metadata of the file.
    """

    def __init__(self, file: BinaryIO, path: Path, top: int, about: Mapping[str, str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        first, *others = column_names(top)
        kinds = (pa.string(), pa.int32(), pa.float64())
        fields = [pa.field(first, pa.string())]
        fields += [pa.field(name, kinds[number % 3]) for number, name in enumerate(others)]
        self._schema = pa.schema(fields, metadata=dict(about))
        self._path = path
        self._rows: list[list[Any]] = []
        with writing(path):
            self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, rows: Sequence[PredictionRow]) -> None:
        for row in rows:
            path, *others = row.values()
            self._rows.append([_as_utf8(path), *others])
        if len(self._rows) >= _ROWS_PER_GROUP:
            self._write_group()

    def close(self) -> None:
        self._write_group()
        with writing(self._path):
            self._writer.close()

    def abandon(self) -> None:
        """Closes pyarrow's writer, which would otherwise write when it is deleted."""
        with suppress(Exception):  # nothing reads the file any more
            self._writer.close()

    def _write_group(self) -> None:
        import pyarrow as pa

        if not self._rows:
            return
        columns = zip(*self._rows, strict=True)
        arrays = [
            pa.array(list(column), field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        with writing(self._path):
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._rows = []


def _as_utf8(path: str) -> str:
    """Returns a path with "?" for bytes that are no UTF-8."""
    return path.encode(errors="replace").decode()
