"""Conversion of images with more than eight bits a channel, by file type only.

The same type always gives the same conversion, whatever the values of an image.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SCALED_TO_16_BITS = ("PNG", "PPM", "JPEG2000")  # Pillow's values reach 65535 at any depth
_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
_UNSIGNED = 1
_KINDS = {1: "unsigned integers", 2: "signed integers", 3: "floats"}


class UnknownRangeError(Exception):
    """The type of a file does not define its darkest and its brightest value."""


def is_deep(image: Any) -> bool:
    """Returns whether a Pillow image has more than eight bits a channel."""
    return bool(image.mode.startswith("I") or image.mode == "F")


def to_grey(image: Any) -> NDArray[np.uint8]:
    """Returns the upper eight bits of a deep grey image, (height, width); 0 is black.

    Accepts unsigned integers of 9 to 16 bits; their range is that of their type.

    Args:
        image: A Pillow image for which `is_deep` holds.

    Raises:
        UnknownRangeError: The values are floats, are signed, or have more than 16 bits.
    """
    bits, inverted = 16, False
    if image.format == "TIFF":
        tags = image.tag_v2
        bits = int(tags.get(_BITS_PER_SAMPLE, (16,))[0])
        kind = int(tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))[0])
        inverted = tags.get(_PHOTOMETRIC) == 0
        if bits > 16 or kind != _UNSIGNED:
            raise _unknown(f"{bits}-bit {_KINDS.get(kind, 'numbers of an unknown kind')}")
    elif image.mode == "F":
        raise _unknown("32-bit floats")
    elif image.format not in _SCALED_TO_16_BITS:
        raise _unknown(f"deep integers of the format {image.format}")
    grey = (np.asarray(image).astype(np.int64) >> (bits - 8)).clip(0, 255).astype(np.uint8)
    return 255 - grey if inverted else grey


def _unknown(what: str) -> UnknownRangeError:
    return UnknownRangeError(f"expected 8 to 16 bits a channel, unsigned, got {what}")
