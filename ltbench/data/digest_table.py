"""Tables of digests in the user's cache folder.

Each table is one file: the SHA-256 of the rest, then an Arrow stream with the columns name, stamp
and digest. A file is replaced as a whole: if two processes add rows at the same time, the rows of
one may be lost and are computed again.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.io.files import replace_file
from ltbench.io.reading import read_regular
from ltbench.io.user_cache import user_cache

LARGEST = 2**34
"""Size that a table never reaches, in bytes: 100 million images."""

DIGEST_BYTES = 16
_CHECK_BYTES = 32

_unwritten: dict[Path, DigestTable] = {}  # tables of this process if the folder is read-only


def cache_folder() -> Path:
    """Returns the folder of the digests, in the user's cache folder."""
    return user_cache() / "digests"


@dataclass(frozen=True)
class DigestTable:
    """Digests by name, each with the stamp of its content.

    Args:
        names: Pyarrow string array of N unique names.
        stamps: Stamps, (N, 4).
        digests: Digests, (N, 16).
    """

    names: Any
    stamps: NDArray[np.int64]
    digests: NDArray[np.uint8]

    @classmethod
    def read(cls, table: str) -> DigestTable:
        """Returns a table; an empty one if the file is missing or damaged."""
        path = _path(table)
        try:
            content = read_regular(path, LARGEST)
        except OSError:
            return _unwritten.get(path, cls._empty())
        check, stream = content[:_CHECK_BYTES], memoryview(content)[_CHECK_BYTES:]
        if hashlib.sha256(stream).digest() != check:
            return cls._empty()
        return cls._parse(stream)

    @classmethod
    def _parse(cls, stream: memoryview) -> DigestTable:
        """Returns the table of an Arrow stream; an empty one if it holds something else."""
        import pyarrow as pa

        try:
            columns = pa.ipc.open_stream(stream).read_all().combine_chunks()
            names = columns.column("name").combine_chunks().cast(pa.string())
            stamps = _rows(columns.column("stamp"), "<i8").astype(np.int64, copy=False)
            digests = _rows(columns.column("digest"), "u1")
        except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, AttributeError):
            return cls._empty()
        fit = stamps.shape == (len(names), 4) and digests.shape == (len(names), DIGEST_BYTES)
        return cls(names, stamps, digests) if fit else cls._empty()

    @classmethod
    def add(
        cls, table: str, names: Any, stamps: NDArray[np.int64], digests: NDArray[np.uint8]
    ) -> None:
        """Adds rows to a table, replacing rows of the same names.

        If the cache folder cannot be written, the rows are kept until this process ends.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        if not len(names):
            return
        unique = np.unique(pc.index_in(names, value_set=names).to_numpy())
        names = names.take(unique)
        now = cls.read(table)
        other = np.flatnonzero(pc.invert(pc.is_in(now.names, value_set=names)))
        columns = {
            "name": pa.concat_arrays([now.names.take(other), names]),
            "stamp": _fixed(np.concatenate([now.stamps[other], stamps[unique]]).astype("<i8")),
            "digest": _fixed(np.concatenate([now.digests[other], digests[unique]])),
        }
        content = io.BytesIO()
        rows = pa.table(columns)
        with pa.ipc.new_stream(content, rows.schema) as writer:
            writer.write_table(rows)
        stream = content.getvalue()
        try:
            cache_folder().mkdir(parents=True, exist_ok=True)
            replace_file(_path(table), hashlib.sha256(stream).digest() + stream)
        except OSError:
            _unwritten[_path(table)] = cls(
                columns["name"],
                np.concatenate([now.stamps[other], stamps[unique]]),
                np.concatenate([now.digests[other], digests[unique]]),
            )

    def find(
        self, names: Any, stamps: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Returns digests, (M, 16), zero where unknown, and whether each is known, (M,).

        Args:
            names: Pyarrow string array of M names.
            stamps: Current stamps, (M, 4).
        """
        import pyarrow.compute as pc

        digests = np.zeros((len(names), DIGEST_BYTES), np.uint8)
        known = np.zeros(len(names), dtype=bool)
        if len(self.names) and len(names):
            at = pc.fill_null(pc.index_in(names, value_set=self.names), -1).to_numpy()
            known = (at >= 0) & (self.stamps[at] == stamps).all(axis=1)
            digests[known] = self.digests[at[known]]
        return digests, known

    @classmethod
    def _empty(cls) -> DigestTable:
        import pyarrow as pa

        none = np.zeros((0, DIGEST_BYTES), np.uint8)
        return cls(pa.array([], pa.string()), np.zeros((0, 4), np.int64), none)


def _path(table: str) -> Path:
    return cache_folder() / f"{hashlib.sha256(os.fsencode(table)).hexdigest()[:32]}.arrow"


def _rows(column: Any, dtype: str) -> NDArray[Any]:
    """Returns the rows of a pyarrow column of fixed-size binaries: the inverse of `_fixed`."""
    binaries = column.combine_chunks()
    width, start = binaries.type.byte_width, binaries.offset
    values = np.frombuffer(binaries.buffers()[1] or b"", np.uint8).reshape(-1, width)
    return values[start : start + len(binaries)].view(dtype)


def _fixed(values: NDArray[Any]) -> Any:
    """Returns the rows of an array as a pyarrow array of fixed-size binaries."""
    import pyarrow as pa

    width = values.shape[1] * values.itemsize
    buffer = pa.py_buffer(np.ascontiguousarray(values).tobytes())
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), [None, buffer])
