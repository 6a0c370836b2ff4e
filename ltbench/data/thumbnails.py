"""Small JPEG copies of images, within a limit of bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.data.images import ImageSource
from ltbench.errors import DataError, PluginError
from ltbench.io.interrupts import check

SIDE_PIXELS = 128
"""Longest side of a thumbnail."""
MAX_BYTES = 256 * 1024
"""Size of all thumbnails of a sheet together; each has its share."""

_QUALITIES = (85, 70, 50, 30)  # of JPEG, best first


def thumbnails(images: ImageSource, indices: Sequence[int]) -> list[bytes | str]:
    """Returns small JPEG files of images, together at most `MAX_BYTES`.

    Args:
        images: Source.
        indices: Indices of the images, at most 100.

    Returns:
        For each image the file, or the reason why it cannot be read.
    """
    share = MAX_BYTES // max(len(indices), 1)
    found: list[bytes | str] = []
    for index in indices:
        check()
        try:
            found.append(thumbnail(images.read(int(index)), share))
        except (DataError, PluginError) as error:
            found.append(error.message)
    return found


def thumbnail(pixels: NDArray[np.uint8], max_bytes: int) -> bytes:
    """Returns a JPEG file of an image, with a longest side of at most `SIDE_PIXELS`.

    Tiny images are enlarged by a whole factor, so that their pixels stay sharp. Where the file is
    too large, first its quality and then its size is reduced.

    Args:
        pixels: Image (height, width, 3).
        max_bytes: Size that the file does not exceed, at least 2,000.
    """
    from PIL import Image

    image = Image.fromarray(pixels)
    factor = SIDE_PIXELS // max(image.size)
    if factor > 1:
        size = (image.width * factor, image.height * factor)
        image = image.resize(size, Image.Resampling.NEAREST)
    image.thumbnail((SIDE_PIXELS, SIDE_PIXELS), Image.Resampling.LANCZOS)  # never enlarges
    content = _encoded(image, _QUALITIES[0])
    for quality in _QUALITIES[1:]:
        if len(content) <= max_bytes:
            return content
        content = _encoded(image, quality)
    while len(content) > max_bytes and min(image.size) > 1:
        image = image.resize((max(image.width // 2, 1), max(image.height // 2, 1)))
        content = _encoded(image, _QUALITIES[-1])
    return content


def _encoded(image: Any, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()
