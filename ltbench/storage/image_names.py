"""Names of the test images in a file of predictions: paths, or names computed from the pixels.

A column that earlier files lack, and that no number is computed from: readers of predictions do not
read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import xxhash

from ltbench.errors import DataError
from ltbench.io.reading import expect_regular

COLUMN = "image"
CHECKSUM = "checksum.image"
LARGEST = 2**30
"""Size that the names, each written out, never reach, in bytes."""

_LARGEST_COLUMN = 2**31 - 1  # the offsets of an Arrow column of texts have 32 bits


def names_column(names: Iterable[str]) -> Any:
    """Returns names as an Arrow column; what is not Unicode is escaped.

    Args:
        names: Names, or an Arrow array of them.

    Raises:
        DataError: They are too long for one column.
    """
    import numpy as np
    import pyarrow as pa

    if isinstance(names, pa.Array | pa.ChunkedArray):
        whole = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names
        return whole.cast(pa.string())
    texts = [str(name).encode("utf-8", "backslashreplace") for name in names]
    ends = np.cumsum([0, *map(len, texts)])
    if ends[-1] > _LARGEST_COLUMN:
        raise DataError(
            f"names of the images: expected at most {_LARGEST_COLUMN} bytes, got {ends[-1]}",
            hint="shorten the paths of the images",
        )
    # `pa.array` would import pandas: see `predictions`.
    offsets = pa.py_buffer(ends.astype(np.int32))
    return pa.StringArray.from_buffers(len(texts), offsets, pa.py_buffer(b"".join(texts)))


def names_checksum(column: Any) -> str:
    """Returns the checksum of an Arrow column of texts, 32 hexadecimal digits."""
    import numpy as np

    _, offsets, content = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    digest = xxhash.xxh3_128(np.diff(ends).tobytes())
    if content is not None:
        digest.update(memoryview(content)[ends[0] : ends[-1]])
    return digest.hexdigest()


def read_names(path: Path) -> Any:
    """Returns the names of the images of a file of predictions.

    Args:
        path: The file.

    Returns:
        Arrow array of texts, (N,); None where an earlier version wrote the file.

    Raises:
        DataError: The file cannot be read, or the names are damaged.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        expect_regular(path, LARGEST)
        with pa.OSFile(str(path)) as source:
            about = pq.read_metadata(source)
            expected = (about.metadata or {}).get(CHECKSUM.encode())
            if expected is None:
                return None
            if COLUMN not in about.schema.names:
                raise ValueError("its column image is missing")
            # Not as texts: one long text, a million times, is small in the file.
            with pq.ParquetFile(source, metadata=about, read_dictionary=[COLUMN]) as file:
                column = file.read([COLUMN], use_threads=False)[COLUMN].combine_chunks()
        if not pa.types.is_dictionary(column.type) or not pa.types.is_string(
            column.type.value_type
        ):
            raise ValueError("its column image has another type")
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.unify_dictionaries().chunks)
        if column.null_count or column.dictionary.null_count:
            raise ValueError("the name of an image is missing")
        sizes = pc.binary_length(column.dictionary).take(column.indices)
        if (pc.sum(sizes).as_py() or 0) > LARGEST:
            raise ValueError("the names of its images are too long")
        texts = column.cast(pa.string())
        if names_checksum(texts).encode() != expected:
            raise ValueError("its column image is not what was written")
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise DataError(
            f"the names of the images in {path} cannot be read: {error}",
            hint="run it again with --overwrite always",
        ) from error
    return texts
