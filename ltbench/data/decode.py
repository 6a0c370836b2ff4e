"""From the bytes of an image file to pixels."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.errors import CorruptImageError

_HINT = "fetch the file again, or drop such images with --on-corrupt skip"
_JPEG = b"\xff\xd8\xff"
_MARKUP = (b"<!do", b"<htm", b"<?xm")


def decode(content: bytes, name: str) -> NDArray[np.uint8]:
    """Returns the pixels of an image in RGB, (height, width, 3).

    Ordinary JPEG files go straight through libjpeg-turbo, everything else through Pillow: the same
    pixels as `Image.open(...).convert("RGB")`, but for 16-bit grey images, which Pillow clips
    to white and which keep their upper eight bits here. The first frame of an animation is taken;
    an orientation in EXIF data is not applied, nor is it in the papers' code.

    Args:
        content: The file's bytes.
        name: What to call it in an error.

    Raises:
        CorruptImageError: It is no image, or not a whole one.
    """
    from PIL import Image

    try:
        pixels = _turbo(content)
        if pixels is not None:
            return pixels
        with Image.open(io.BytesIO(content)) as image:
            return _pillow(image)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's readers raise whatever they like
        raise CorruptImageError(
            f"{name} cannot be decoded: {_reason(content, error)}", hint=_HINT
        ) from error


def _turbo(content: bytes) -> NDArray[np.uint8] | None:
    """Returns the pixels of an ordinary JPEG file; None where it is up to Pillow."""
    from PIL import Image
    from simplejpeg import decode_jpeg, decode_jpeg_header

    if not content.startswith(_JPEG):
        return None
    try:
        height, width, colors, _ = decode_jpeg_header(content)
        bomb = height * width > (Image.MAX_IMAGE_PIXELS or math.inf)
        if bomb or colors in ("CMYK", "YCCK"):
            return None
        pixels: NDArray[np.uint8] = decode_jpeg(content, "RGB")
    except ValueError:  # Pillow says what is wrong
        return None
    return pixels


def _pillow(image: Any) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):
        deep = np.asarray(image).astype(np.int64)
        grey = (deep >> 8 if deep.max(initial=0) > 255 else deep).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=-1)
    if image.mode == "P":  # by way of alpha: transparent palettes warn otherwise
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))


def _reason(content: bytes, error: Exception) -> str:
    if not content:
        return "it is empty"
    if content.lstrip()[:4].lower() in _MARKUP:
        return "it is a web page, not an image"
    reason = str(error) or type(error).__name__
    return "no known image format" if "cannot identify" in reason else reason
