"""Decoding of image files to pixels."""

from __future__ import annotations

import io
import warnings
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
"""Number of the rules by which pixels are made of bytes: part of the keys of what is cached."""

MAX_PIXELS = 178_956_970
"""Pixels of the largest image that is read (0.5 GB in RGB): a small file can claim any size."""

_HINT = "fetch the file again, or drop such images with --on-corrupt skip"
_RANGE_HINT = "save it with 8 or 16 bits, scaled from black to white; or drop such images with "
_RANGE_HINT += "--on-corrupt skip"
_SIZE_HINT = "save it smaller: a model sees some hundred pixels a side; or drop such images with "
_SIZE_HINT += "--on-corrupt skip"
_JPEG = b"\xff\xd8\xff"
_MARKUP = (b"<!do", b"<htm", b"<?xm")


class _TooLargeError(Exception):
    """An image has too many pixels."""


def decode(content: bytes, name: str) -> NDArray[np.uint8]:
    """Returns the pixels of an image in RGB, (height, width, 3).

    Ordinary JPEG files go straight through libjpeg-turbo, everything else through Pillow: the same
    pixels as `Image.open(...).convert("RGB")`, but for deep grey images, which Pillow clips to
    white and which keep their upper eight bits here. The first frame of an animation is taken; an
    orientation in EXIF data is not applied, nor is it in the papers' code.

    Args:
        content: The file's bytes.
        name: Name of the file for messages.

    Raises:
        CorruptImageError: It is not an image, not a whole one, too large, or its type does not say
            which values are black and white.
    """
    from PIL import Image

    try:
        pixels, flawed = _turbo(content)
        if pixels is not None:
            return pixels
        expect_png_size(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                return _pillow(content, image, flawed)
    except MemoryError:
        raise
    except UnknownRangeError as error:
        raise CorruptImageError(
            f"{name} cannot be decoded: {error}: which values are black and white is not known",
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
        Its pixels, or None where Pillow has to decode it; and whether the decoder complained.

    Raises:
        MissingDataError: It is too small for its size in pixels.
    """
    from simplejpeg import decode_jpeg, decode_jpeg_header

    if not content.startswith(_JPEG):
        return None, False
    try:
        height, width, colors, _ = decode_jpeg_header(content)
    except ValueError:  # Pillow says what is wrong
        return None, True
    _expect_size(height, width)
    expect_jpeg_size(content, height, width)
    inks = colors in ("CMYK", "YCCK")
    try:
        pixels: NDArray[np.uint8] = decode_jpeg(content, "CMYK" if inks else "RGB")
    except ValueError:  # extra bytes before a marker, or missing data: Pillow takes both
        return None, True
    return (None, False) if inks else (pixels, False)


def _pillow(content: bytes, image: Any, flawed: bool) -> NDArray[np.uint8]:
    """Decodes an opened Pillow image."""
    _expect_size(image.height, image.width)
    expect_tiles(image)
    deep = to_grey(image) if is_deep(image) else None  # its type is refused before it is read
    image.load()
    expect_whole(content, image, flawed)
    if deep is not None:
        return np.repeat(deep[..., None], 3, axis=-1)
    if image.mode == "P":  # by way of alpha: transparent palettes warn otherwise
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))


def _expect_size(height: int, width: int) -> None:
    if height * width > MAX_PIXELS:
        raise _TooLargeError(height * width)


def _got(error: Exception) -> str:
    """Returns what was found instead, where it is known."""
    if not isinstance(error, _TooLargeError):
        return ""
    return f", got {error.args[0] / 1e6:,.0f}"


def _reason(content: bytes, error: Exception) -> str:
    if not content:
        return "it is empty"
    if content.lstrip()[:4].lower() in _MARKUP:
        return "it is a web page, not an image"
    reason = str(error) or type(error).__name__
    return "no known image format" if "cannot identify" in reason else reason
