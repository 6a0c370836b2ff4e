"""Widths of text in figures, and text broken into lines."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import FT2Font, LoadFlags

from ltbench.report.figures.style import FONT_SIZE

_FONT_UNITS = 100.0  # points that letters are measured at
_LAST_LETTER = 0x2300  # of those that are measured; others count as a square


def text_width(text: str, size: float = FONT_SIZE, *, bold: bool = False) -> float:
    """Returns the width of a line of text, in points.

    Args:
        text: Text. Letters that the font lacks count as a square.
        size: Font size, in points.
        bold: Whether the text is bold.
    """
    widths, missing = _letter_widths(bold)
    return size * sum(widths.get(ord(letter), missing) for letter in text)


def wrap_parts(parts: Sequence[str], width: float, size: float, gap: float) -> list[list[str]]:
    """Returns texts arranged in lines of at most a width, each whole if possible.

    Args:
        parts: Texts.
        width: Width of a line, in points.
        size: Font size, in points.
        gap: Distance between the texts of a line, in points.
    """
    lines: list[list[str]] = []
    left = 0.0
    for part in parts:
        own = text_width(part, size)
        if lines and own <= left:
            lines[-1].append(part)
        else:
            lines.append([part])
            left = width
        left -= own + gap
    return lines


def break_text(text: str, width: float, size: float) -> list[str]:
    """Returns a text in lines of at most a width, broken at spaces.

    Args:
        text: Text. Words that are wider than a line have a line of their own.
        width: Width of a line, in points.
        size: Font size, in points.
    """
    space = text_width(" ", size)
    return [" ".join(line) for line in wrap_parts(text.split(), width, size, space)]


@functools.cache
def _letter_widths(bold: bool) -> tuple[dict[int, float], float]:
    """Returns the widths of the letters of the font in units of its size, and of others."""
    weight = "bold" if bold else "normal"
    font: FT2Font = get_font(findfont(FontProperties(family="DejaVu Sans", weight=weight)))
    font.set_size(_FONT_UNITS, 72)
    found = {}
    for code in font.get_charmap():
        if code < _LAST_LETTER:
            found[code] = (
                font.load_char(code, flags=LoadFlags.NO_HINTING).linearHoriAdvance / 65536 / 100
            )
    return found, 1.0
