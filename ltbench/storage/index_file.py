"""File of an index: two Arrow tables with checksums, written whole and never changed.

The first line names the form of the file and the version of ltbench, and gives length and XXH3
checksum of each table. A file of another form or version, or a damaged one, is no index: the runs
are read instead.
"""

from __future__ import annotations

import os
import stat
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import ltbench
from ltbench.io.files import remove_partials, replacing_file
from ltbench.storage.migrations import SCHEMA

NAME = ".index.arrow"
FORM = 2
"""Version of the columns: raised when a column, or a model that is stored in one, changes."""
LARGEST = 2**34
_LINE = 200
"""Length of the first line, which is padded with spaces."""
_READ_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class IndexFile:
    """Index that is open; its second table is read when it is first used.

    A file that another process replaces meanwhile is still read to its end.

    Args:
        descriptor: Descriptor of the file, which is closed with this object.

    Attributes:
        rows: First table: the columns that tables of runs show.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not an index of this version, or is damaged.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)
        line = self._content(0, _LINE).partition(b"\n")[0]
        *form, size, checksum, self._size, self._checksum = line.decode().split()
        if form != _form() or int(size) > LARGEST or int(self._size) > LARGEST:
            raise ValueError("it is of another form")
        self._start = len(line) + 1 + int(size)
        self.rows = _table(self._content(len(line) + 1, int(size)), checksum)
        self._details: Any = None

    @classmethod
    def open(cls, folder: Path, used_for: Path | None = None) -> IndexFile | None:
        """Returns the index in a folder; None without one that can be used.

        Args:
            folder: Folder of the index.
            used_for: Folder in it of the runs that are read; the same where None. The index belongs
                to its owner or to the user.
        """
        try:
            descriptor = os.open(folder / NAME, _READ_FLAGS)
        except OSError:
            return None
        try:
            found, owner = os.fstat(descriptor), (used_for or folder).stat().st_uid
            if stat.S_ISREG(found.st_mode) and found.st_uid in (os.geteuid(), owner):
                return cls(descriptor)
            os.close(descriptor)
        except (OSError, ValueError):
            pass
        return None

    def details(self) -> Any:
        """Returns the second table: columns that are large and rarely used.

        Raises:
            OSError: It cannot be read.
            ValueError: It is damaged.
        """
        if self._details is None:
            content = self._content(self._start, int(self._size))
            self._details = _table(content, self._checksum)
        return self._details

    def _content(self, start: int, size: int) -> bytes:
        with open(self._descriptor, "rb", closefd=False) as file:
            file.seek(start)
            return file.read(min(size, os.fstat(self._descriptor).st_size))


class _Part:
    """Part of a file that is written in pieces, with its size and checksum.

    Args:
        file: File, at the place of the part.
    """

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        import xxhash

        self._file, self._checksum = file, xxhash.xxh3_128()
        self._size = 0

    def write(self, content: Any) -> int:
        """Writes a piece."""
        self._checksum.update(content)
        self._size += self._file.write(content)
        return len(content)

    def flush(self) -> None:
        """Does nothing: the whole file is flushed at its end."""

    def __str__(self) -> str:
        """Returns what the first line says of the part."""
        return f"{self._size} {self._checksum.hexdigest()}"


def write_index(folder: Path, tables: Iterable[Any]) -> None:
    """Replaces the index of a folder, or leaves it as it is where it cannot be written.

    Args:
        folder: Folder of the runs.
        tables: `rows` and `details` of an `IndexFile`; each is dropped before the next is made.
    """
    import pyarrow as pa

    try:
        remove_partials(folder, of=NAME)  # of processes that were killed
        with replacing_file(folder / NAME) as file:
            file.seek(_LINE)
            about = []
            for table in tables:
                part = _Part(file)
                with pa.ipc.new_stream(part, table.schema) as writer:
                    writer.write_table(table)
                about.append(str(part))
                del table
            file.seek(0)
            file.write(" ".join([*_form(), *about]).encode().ljust(_LINE - 1) + b"\n")
    except OSError:  # a folder that is read-only or full: nothing depends on the index
        return


def _form() -> list[str]:
    return f"ltbench-index {FORM} {SCHEMA} {ltbench.__version__}".split()


def _table(content: bytes, checksum: str) -> Any:
    """Returns a table of an index.

    Raises:
        ValueError: It is damaged.
    """
    import pyarrow as pa  # late: most folders have no index
    import xxhash

    if xxhash.xxh3_128_hexdigest(content) != checksum:
        raise ValueError("it is damaged")
    with pa.ipc.open_stream(content) as reader:
        table = reader.read_all()
    table.validate()
    return table
