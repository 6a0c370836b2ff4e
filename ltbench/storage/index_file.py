"""File of an index: two Arrow tables with checksums, written whole and never changed.

The first line names the form of the file and the version of ltbench, and gives length and XXH3
checksum of each table. A file of another form or version, or a damaged one, is no index: the runs
are read instead.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import ltbench
from ltbench.io.files import remove_partials, replacing_file
from ltbench.storage.migrations import SCHEMA

NAME = ".index.arrow"
FORM = 1
"""Version of the columns: raised when a column, or a model that is stored in one, changes."""
LARGEST = 2**34
_LONGEST_LINE = 200
_READ_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass
class IndexFile:
    """Tables of an index that is open; the second one is read when it is first used.

    Args:
        rows: Columns of the runs that tables of runs show.
        _file: The open file, positioned at the second table.
        _about: Length and checksum of the second table.
    """

    rows: Any
    _file: BinaryIO
    _about: tuple[int, str]
    _details: Any = None

    @classmethod
    def open(cls, folder: Path) -> IndexFile | None:
        """Returns the index in a folder; None where there is none that can be used."""
        try:
            file = open(  # noqa: SIM115, PTH123  # kept open for the second table
                os.open(folder / NAME, _READ_FLAGS), "rb"
            )
        except OSError:
            return None
        import pyarrow as pa  # late: most folders have no index

        try:
            found = os.fstat(file.fileno())
            owners = os.geteuid(), folder.stat().st_uid
            if not stat.S_ISREG(found.st_mode) or found.st_uid not in owners:
                raise ValueError("not a file of this user")
            *form, first_size, first_sum, size, checksum = file.readline(_LONGEST_LINE).split()
            sizes = int(first_size), int(size)
            if form != _form() or sum(sizes) > min(LARGEST, found.st_size):
                raise ValueError("another form")
            rows = _read(file, sizes[0], first_sum.decode())
        except (OSError, ValueError, pa.ArrowException):
            file.close()
            return None
        return cls(rows, file, (sizes[1], checksum.decode()))

    def details(self) -> Any:
        """Columns that are large and rarely used.

        Raises:
            OSError: They cannot be read.
            ValueError: They are damaged.
        """
        if self._details is None:
            self._details = _read(self._file, *self._about)
        return self._details


def write_index(folder: Path, tables: Sequence[Any]) -> None:
    """Replaces the index of a folder, or leaves it as it is where it cannot be written.

    Args:
        folder: Folder of the runs.
        tables: `rows` and `details` of an `IndexFile`.
    """
    import pyarrow as pa
    import xxhash

    parts = []
    for table in tables:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        parts.append(sink.getvalue())
    about = [b"%d %s" % (p.size, xxhash.xxh3_128_hexdigest(p).encode()) for p in parts]
    try:
        remove_partials(folder, of=NAME)  # of processes that were killed
        with replacing_file(folder / NAME) as file:
            file.write(b" ".join([*_form(), *about]) + b"\n")
            for part in parts:
                file.write(part)
    except OSError:  # a folder that is read-only or full: nothing depends on the index
        return


def _form() -> list[bytes]:
    return f"ltbench-index {FORM} {SCHEMA} {ltbench.__version__}".encode().split()


def _read(file: BinaryIO, size: int, checksum: str) -> Any:
    """Returns the next table of a file.

    Raises:
        ValueError: It is damaged.
    """
    import pyarrow as pa
    import xxhash

    content = file.read(size)
    if xxhash.xxh3_128_hexdigest(content) != checksum:
        raise ValueError("it is damaged")
    with pa.ipc.open_stream(content) as reader:
        table = reader.read_all()
    table.validate()
    return table
