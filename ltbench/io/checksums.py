"""Checksums of stored arrays: damage that leaves a file's size alone is found where it is read.

XXH3 with 128 bits, which reads memory as fast as the machine does: on a core of an AMD EPYC 20 GB/s
and more, where SHA-256 does 1.5 and BLAKE2b 0.7. It is no proof against who means to deceive.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

_CHUNK_BYTES = 2**20


def array_checksum(array: NDArray[Any]) -> str:
    """Returns the checksum of an array: of its type, shape and values, 32 hexadecimal digits."""
    digest = xxhash.xxh3_128(f"{array.dtype.str} {array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def file_checksum(path: Path) -> str:
    """Returns the checksum of a file's bytes, without mapping it into memory.

    Args:
        path: Of the file.

    Raises:
        OSError: It cannot be read.
    """
    digest = xxhash.xxh3_128()
    buffer = bytearray(_CHUNK_BYTES)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(view[:count])
    return digest.hexdigest()
