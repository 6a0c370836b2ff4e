"""Decoding of image files to pixels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.data.decoding.deep_pixels import UnknownRangeError, is_deep, to_grey
from ltbench.data.decoding.missing_data import (
    expect_jpeg_size,
    expect_png_size,
    expect_tiles,
    expect_whole,
)
from ltbench.errors import CorruptImageError

DECODE_RULES = 2
"""Version of the decoding rules: part of the keys of cached pixels."""

MAX_PIXELS = 178_956_970
"""Size of the largest image that is read (0.5 GB in RGB): a small file can claim any size."""

_HINT = "fetch the file again, or skip such images with --on-corrupt skip"
_RANGE_HINT = "save it with 8 or 16 bits, scaled from black to white; or skip such images with "
_RANGE_HINT += "--on-corrupt skip"
_SIZE_HINT = "save it smaller: a model reads a few hundred pixels a side; or skip such images with "
_SIZE_HINT += "--on-corrupt skip"
_JPEG = b"\xff\xd8\xff"
_MARKUP = (b"<!do", b"<htm", b"<?xm")


class _TooLargeError(Exception):
    """An image has too many pixels."""


def decode(content: bytes, name: str) -> NDArray[np.uint8]:
    """Returns the pixels of an image in RGB, (height, width, 3).

    Ordinary JPEG files go directly through libjpeg-turbo, all other files through Pillow: the same
    pixels as `Image.open(...).convert("RGB")`, except for deep grey images, which Pillow clips to
    white and which keep their upper eight bits here. Of an animation the first frame is decoded.
    The orientation in EXIF data is not applied, as in the papers' code.

    Args:
        content: Bytes of the file.
        name: Name of the file for messages.

    Raises:
        CorruptImageError: The content is not an image, is incomplete or too large, or its type
            does not define its black and white values.
    """
    from PIL import Image

    with _as_corrupt(content, name):
        pixels, flawed = _turbo(content)
        if pixels is not None:
            return pixels
        expect_png_size(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                return _pillow(content, image, flawed)


def picture_pixels(image: Any, name: str) -> NDArray[np.uint8]:
    """Returns the pixels of a Pillow image in RGB, (height, width, 3), converted as in `decode`.

    Args:
        image: Pillow image of any mode.
        name: Name of the image for messages.

    Raises:
        CorruptImageError: Its file is incomplete or too large, or its type does not define its
            black and white values.
    """
    with _as_corrupt(b"?", name):
        _expect_size(image.height, image.width)
        deep = to_grey(image) if is_deep(image) else None
        image.load()
        return _in_rgb(image, deep)


@contextmanager
def _as_corrupt(content: bytes, name: str) -> Iterator[None]:
    """Converts the errors of decoding a file.

    Raises:
        CorruptImageError: The block raised an error, except for one of memory.
    """
    from PIL import Image

    try:
        yield
    except MemoryError:
        raise
    except UnknownRangeError as error:
        raise CorruptImageError(
            f"{name} cannot be decoded: {error}: its black and white values are unknown",
            hint=_RANGE_HINT,
        ) from error
    except (_TooLargeError, Image.DecompressionBombError) as error:
        raise CorruptImageError(
            f"{name} is too large: expected at most {MAX_PIXELS / 1e6:.0f} megapixels{_got(error)}",
            hint=_SIZE_HINT,
        ) from error
    except Exception as error:  # Pillow's readers raise errors of any kind
        raise CorruptImageError(
            f"{name} cannot be decoded: {_reason(content, error)}", hint=_HINT
        ) from error


def _turbo(content: bytes) -> tuple[NDArray[np.uint8] | None, bool]:
    """Decodes an ordinary JPEG file.

    Returns:
        Pixels, or None where Pillow has to decode the file; and whether the decoder failed.

    Raises:
        MissingDataError: The file is too small for its size in pixels.
    """
    from simplejpeg import decode_jpeg, decode_jpeg_header

    if not content.startswith(_JPEG):
        return None, False
    try:
        height, width, colors, _ = decode_jpeg_header(content)
    except ValueError:  # Pillow reports the fault
        return None, True
    _expect_size(height, width)
    expect_jpeg_size(content, height, width)
    inks = colors in ("CMYK", "YCCK")
    try:
        pixels: NDArray[np.uint8] = decode_jpeg(content, "CMYK" if inks else "RGB")
    except ValueError:  # extra bytes before a marker, or missing data: Pillow decodes both
        return None, True
    return (None, False) if inks else (pixels, False)


def _pillow(content: bytes, image: Any, flawed: bool) -> NDArray[np.uint8]:
    """Decodes an opened Pillow image."""
    _expect_size(image.height, image.width)
    expect_tiles(image)
    deep = to_grey(image) if is_deep(image) else None  # an unsupported type is refused unread
    image.load()
    expect_whole(content, image, flawed)
    return _in_rgb(image, deep)


def _in_rgb(image: Any, deep: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Returns the pixels of a loaded Pillow image, or those of a deep grey one in RGB."""
    if deep is not None:
        return np.repeat(deep[..., None], 3, axis=-1)
    if image.mode == "P":  # via RGBA: transparent palettes warn otherwise
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))


def _expect_size(height: int, width: int) -> None:
    if height * width > MAX_PIXELS:
        raise _TooLargeError(height * width)


def _got(error: Exception) -> str:
    """Returns the ", got ..." part of a message, where the size is known."""
    if not isinstance(error, _TooLargeError):
        return ""
    return f", got {error.args[0] / 1e6:,.0f}"


def _reason(content: bytes, error: Exception) -> str:
    if not content:
        return "it is empty"
    if content.lstrip()[:4].lower() in _MARKUP:
        return "it is a web page, not an image"
    reason = str(error) or type(error).__name__
    return "its format is unknown" if "cannot identify" in reason else reason
