"""Digests of image sources: they change when a file does, without reading the files."""

from __future__ import annotations

import hashlib
import os

import numpy as np

from ltbench.data.content_digests import file_stamp
from ltbench.data.decoding.decode import DECODE_RULES
from ltbench.data.images import ArrayImages, FileImages, ImageSource, Subset


def source_digest(images: ImageSource) -> str | None:
    """Returns a hash of an array's pixels, or of the files' paths, sizes, times and inodes.

    None for any other source, whose images have to be read to be compared.
    """
    if isinstance(images, ArrayImages):
        return _hash(str(images.pixels.shape).encode(), np.ascontiguousarray(images.pixels).data)
    if isinstance(images, Subset):
        inner = source_digest(images.images)
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
