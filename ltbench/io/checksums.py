"""Checksums of stored arrays, which detect damage when a file is read.

XXH3 with 128 bits: 20 GB/s and more on a core of an AMD EPYC, where SHA-256 reaches 1.5 and BLAKE2b
0.7. It does not protect against deliberate changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import xxhash

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK_BYTES = 2**20


def array_checksum(array: NDArray[Any]) -> str:
    """Returns the checksum of an array's type, shape and values, 32 hexadecimal digits."""
    import numpy as np

    digest = xxhash.xxh3_128(f"{array.dtype.str} {array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def file_checksum(path: Path) -> str:
    """Returns the checksum of a file's bytes, without mapping it into memory.

    Args:
        path: The file.

    Raises:
        OSError: The file cannot be read.
    """
    digest = xxhash.xxh3_128()
    buffer = bytearray(_CHUNK_BYTES)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(view[:count])
    return digest.hexdigest()
