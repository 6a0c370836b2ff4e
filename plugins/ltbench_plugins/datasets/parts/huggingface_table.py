"""Images in Arrow tables, as the package `datasets` keeps them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.data import FileImages, decode
from ltbench.errors import CorruptImageError


class TableImages:
    """Images in a column of an Arrow table that is mapped into memory.

    Loader processes are sent the names of its files, not what they hold.

    Args:
        rows: A `datasets.Dataset` with that column alone, not decoded.
        column: Its name.
        where: What to call the table in an error.
    """

    def __init__(self, rows: Any, column: str, where: str) -> None:
        self.rows = rows
        self.column = column
        self.where = where

    def __len__(self) -> int:
        return len(self.rows)

    def name(self, index: int) -> str:
        """Returns a name made of the file, as it is encoded; its place where it has no bytes."""
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
                hint="drop such images with --on-corrupt skip",
            )
        return FileImages(Path(), _one(row["path"]), "load the set again").read(0)


def encoded_sizes(column: Any) -> NDArray[np.int64]:
    """Returns the bytes of each encoded image, (N,); -1 where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    sizes = pc.binary_length(pc.struct_field(column, "bytes")).cast(pa.int64())
    known: NDArray[np.int64] = pc.fill_null(sizes, -1).to_numpy().copy()
    for row in np.flatnonzero(known < 0):  # an image folder: the table has paths only
        path = (column[int(row)].as_py() or {}).get("path")
        if path is not None and os.path.isfile(path):  # noqa: PTH113  # ten times faster
            known[row] = os.stat(path).st_size  # noqa: PTH116
    return known


def _one(path: str) -> Any:
    import pyarrow as pa

    return pa.array([path], pa.string())
