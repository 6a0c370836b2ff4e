"""Detection of image files that hold less data than their headers claim.

Decoders fill missing data with a constant and report nothing if the file has a proper end.
Checks that need only the file's size come before memory is allocated for its pixels.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import Any

import numpy as np

_PNG = b"\x89PNG\r\n\x1a\n"
_CODESTREAM = b"\xff\x4f\xff\x51"
_ARITHMETIC = re.compile(rb"\xff[\xc9\xca\xcb]")  # frames without a minimum size
_HEAD_BYTES = 1 << 16
_PIXELS_PER_BYTE = 2048  # most of a JPEG: 1 bit a block of 8 x 8, of which subsampling keeps 1 in 4
_DEFLATE_RATIO = 1032
_INFLATED_BYTES = 1 << 20
_CORNER_PIXELS = 4  # side: inside the smallest block of a JPEG, away from its neighbours
_FILL_LEVEL = 128
_ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)),
    (0, 1, 1, 2),
)
"""First column, first row, column step and row step of each pass."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


class MissingDataError(Exception):
    """A file holds less data than its header claims."""


def expect_jpeg_size(content: bytes, height: int, width: int) -> None:
    """Raises a `MissingDataError` for a JPEG file that is too small for its size in pixels."""
    least = height * width // _PIXELS_PER_BYTE
    if len(content) < least and not _ARITHMETIC.search(content[:_HEAD_BYTES]):
        raise _short(height, width, len(content))


def expect_png_size(content: bytes) -> None:
    """Raises a `MissingDataError` for a PNG file that is too small for its size in pixels."""
    if not content.startswith(_PNG) or content[12:16] != b"IHDR" or len(content) < 29:
        return
    width, height, *_ = struct.unpack(">II", content[16:24])
    if _png_bytes(content) > _DEFLATE_RATIO * len(content):
        raise _short(height, width, len(content))


def expect_whole(content: bytes, image: Any, flawed: bool) -> None:
    """Raises a `MissingDataError` where a part of a decoded image has no data behind it.

    Args:
        content: Bytes of the file.
        image: A Pillow image, decoded but not converted.
        flawed: Whether a decoder reported faulty data.
    """
    lacking = (
        (image.format in ("JPEG", "MPO") and flawed and _is_neutral(image))
        or (image.format == "PNG" and _lacks_rows(content, image))
        or (image.format == "JPEG2000" and _lacks_tiles(content))
    )
    if lacking:
        raise _short(image.height, image.width, len(content))


def expect_tiles(image: Any) -> None:
    """Raises a `MissingDataError` for a TIFF with fewer strips or tiles than its size needs.

    Args:
        image: A Pillow image, opened but not decoded.
    """
    if image.format != "TIFF":
        return
    width, height = image.size
    covered: dict[Any, int] = {}
    for _, (left, top, right, bottom), _, args in image.tile:
        plane = args[0] if isinstance(args, tuple) else args
        area = max(0, min(right, width) - left) * max(0, min(bottom, height) - top)
        covered[plane] = covered.get(plane, 0) + area
    if covered and min(covered.values()) < width * height:
        raise MissingDataError(
            f"it lists strips for {min(covered.values()):,} of {width * height:,} pixels"
        )


def _short(height: int, width: int, size: int) -> MissingDataError:
    return MissingDataError(
        f"its {size:,} bytes cannot hold the {width:,} x {height:,} pixels of its header"
    )


def _is_neutral(image: Any) -> bool:
    """Returns whether the last block of a JPEG has the decoder's fill value for missing data."""
    width, height = image.size
    corner = (max(0, width - _CORNER_PIXELS), max(0, height - _CORNER_PIXELS), width, height)
    levels = np.asarray(image.crop(corner)).astype(int)
    return bool((np.abs(levels - _FILL_LEVEL) <= 1).all())


def _lacks_rows(content: bytes, image: Any) -> bool:
    """Returns whether a PNG's data end before its last row.

    Rows without data are zero. So the data are counted only where the last row is zero, or where
    it is not the last to be stored.
    """
    interlaced = content[28] == 1
    last = image.crop((0, image.height - 1, image.width, image.height))
    if not interlaced and any(last.tobytes()):
        return False
    inflate, found, wanted = zlib.decompressobj(), 0, _png_bytes(content)
    for data in _png_data(content):
        while data and found < wanted:
            found += len(inflate.decompress(data, _INFLATED_BYTES))
            data = inflate.unconsumed_tail
    return found < wanted


def _png_data(content: bytes) -> Any:
    """Yields the contents of the chunks that hold a PNG's pixels."""
    at = len(_PNG)
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        kind = content[at + 4 : at + 8]
        if kind == b"IDAT":
            yield content[at + 8 : at + 8 + size]
        at += 12 + size


def _png_bytes(content: bytes) -> int:
    """Returns the number of bytes of a PNG's pixels before compression."""
    width, height, depth, kind, *_, interlaced = struct.unpack(">IIBBBBB", content[16:29])
    bits = depth * _CHANNELS.get(kind, 1)
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    total = 0
    for left, top, right, down in passes:
        columns, rows = -(-(width - left) // right), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return int(total)


def _lacks_tiles(content: bytes) -> bool:
    """Returns whether a JPEG 2000 codestream lacks some of its tiles."""
    start = content.find(_CODESTREAM)
    if start < 0:
        return False
    sizes = struct.unpack(">8I", content[start + 8 : start + 40])
    right, bottom, _, _, width, height, left, top = (int(size) for size in sizes)
    tiles = -(-(right - left) // max(width, 1)) * -(-(bottom - top) // max(height, 1))
    at, found = start + 2, set()
    while at + 12 <= len(content) and content[at] == 0xFF:
        if content[at + 1] != 0x90:  # a segment of the main header
            at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
            continue
        tile, size = struct.unpack(">HI", content[at + 4 : at + 10])
        found.add(tile)
        if not size:  # to the end
            break
        at += size
    return len(found) < tiles
