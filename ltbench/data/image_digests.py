"""What the images of a source are now: changes when a file does, without reading the files."""

from __future__ import annotations

import hashlib
import os

import numpy as np

from ltbench.data.content_digests import file_stamp
from ltbench.data.decoding.decode import DECODE_RULES
from ltbench.data.images import ArrayImages, FileImages, ImageSource, Subset


def digest_of(images: ImageSource) -> str | None:
    """Returns a hash of an array's pixels, or of the files' paths, sizes, times and inodes.

    None for a source of another kind: nothing is known of its images but by reading them.
    """
    if isinstance(images, ArrayImages):
        return _hash(str(images.pixels.shape).encode(), np.ascontiguousarray(images.pixels).data)
    if isinstance(images, Subset):
        inner = digest_of(images.images)
        return inner and _hash(inner.encode(), np.ascontiguousarray(images.indices).data)
    if isinstance(images, FileImages):
        files = (str(images.root / images.name(index)) for index in range(len(images)))
        stamps = (os.fsencode(f"{file} {file_stamp(file)}\n") for file in files)
        return _hash(b"%d" % DECODE_RULES, *stamps)
    return None


def _hash(*parts: bytes | memoryview) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
