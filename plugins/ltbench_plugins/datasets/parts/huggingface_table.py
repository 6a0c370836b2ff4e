"""Images in Arrow tables, in the format of the package `datasets`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench import DataContext
from ltbench.data import (
    DIGEST_BYTES,
    DigestRule,
    Digests,
    FileImages,
    content_digest,
    decode,
    file_digests,
    file_stamp,
    remembered_digests,
)
from ltbench.errors import CorruptImageError

_ROWS_PER_PART = 64


class TableImages:
    """Images in a column of a memory-mapped Arrow table.

    Loader processes receive the names of its files, not their content.

    Args:
        rows: A `datasets.Dataset` with this column only, not decoded.
        column: Name of the column.
        where: Name of the table for messages.
    """

    def __init__(self, rows: Any, column: str, where: str) -> None:
        self.rows = rows
        self.column = column
        self.where = where

    def __len__(self) -> int:
        return len(self.rows)

    def name(self, index: int) -> str:
        """Returns a name computed from the encoded image; its place if it has no bytes."""
        row = self.rows[index][self.column] or {}
        if row.get("bytes") is not None:
            return hashlib.sha1(row["bytes"], usedforsecurity=False).hexdigest()
        return str(row.get("path") or f"{self.where}, row {index}")

    def read(self, index: int) -> NDArray[np.uint8]:
        """Returns an image in RGB, (height, width, 3)."""
        row = self.rows[index][self.column] or {}
        if row.get("bytes") is not None:
            return decode(row["bytes"], f"{self.where}, row {index}")
        if row.get("path") is None:
            raise CorruptImageError(
                f"{self.where}, row {index} has no image",
                hint="skip such images with --on-corrupt skip",
            )
        return FileImages(Path(), _as_array(row["path"]), "load the data set again").read(0)

    def digests(
        self, ctx: DataContext, rule: DigestRule, rows: NDArray[np.int64] | None = None
    ) -> Digests:
        """Returns the digests of the encoded images, (M, 16); zero for missing ones.

        They are cached until the files of the table change.

        Args:
            ctx: Context with the progress reporter.
            rule: Hashed part of an image.
            rows: Indices of the images, (M,); None: all.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self.rows.data.column(self.column)  # in chunks, because it may not fit into memory
        asked = np.arange(len(column)) if rows is None else rows
        contents = pc.struct_field(column, "bytes")
        inside = contents.is_valid().to_numpy()[asked]
        digests = np.zeros((len(asked), DIGEST_BYTES), np.uint8)
        digests[inside] = self._embedded(contents, asked[inside], rule, ctx)
        names = pc.fill_null(pc.struct_field(column, "path"), "").combine_chunks()
        paths = names.take(pa.array(asked))
        linked = np.flatnonzero(~inside & pc.not_equal(paths, "").to_numpy(zero_copy_only=False))
        if len(linked):  # of an image folder the table has only paths
            files = [Path(path).absolute() for path in paths.take(pa.array(linked)).to_pylist()]
            root = Path(os.path.commonpath([file.parent for file in files]))
            below = pa.array([str(file.relative_to(root)) for file in files], pa.string())
            digests[linked] = file_digests(root, below, ctx.progress, rule)
        return digests

    def _embedded(
        self, contents: Any, rows: NDArray[np.int64], rule: DigestRule, ctx: DataContext
    ) -> Digests:
        """Returns the digests of images within the table, (M, 16)."""
        import pyarrow as pa

        def hash_part(part: NDArray[np.int64]) -> tuple[NDArray[np.int64], Digests]:
            buffers = (contents[int(rows[at])].as_buffer() for at in part)
            values = b"".join(content_digest(memoryview(buffer), rule) for buffer in buffers)
            return part, np.frombuffer(values, np.uint8).reshape(-1, DIGEST_BYTES)

        def read(wanted: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Digests]]:
            parts = np.array_split(wanted, -(-len(wanted) // _ROWS_PER_PART))
            with ThreadPoolExecutor() as pool:  # hashing releases the GIL
                yield from pool.map(hash_part, parts)

        files = sorted(file["filename"] for file in self.rows.cache_files)
        stamps = np.array([file_stamp(file) for file in files], np.int64).reshape(-1, 4)
        if not len(rows) or not len(files):  # a table in memory
            return hash_part(np.arange(len(rows)))[1]
        stamp = np.tile(stamps.max(axis=0), (len(rows), 1))
        stamp[:, 0] = stamps[:, 0].sum()
        table = "\n".join([rule, self.column, *files])
        return remembered_digests(
            table, pa.array(rows).cast(pa.string()), stamp, read, ctx.progress
        )


def _as_array(path: str) -> Any:
    import pyarrow as pa

    return pa.array([path], pa.string())
