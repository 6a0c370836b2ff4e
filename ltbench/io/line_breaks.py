"""Line breaks in texts: at spaces, and in long names behind `_` and `/`, never within numbers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from rich.cells import cell_len

_NUMBER = r"[-+]?\d[\d.,]*"
_UNBROKEN = re.compile(
    rf"{_NUMBER}(?: (?:to|of|±|x|/) {_NUMBER})+(?: %)?|\[[-+\d., ]+\]|(?:\bp )?[<>=≤≥]+ {_NUMBER}"
    rf"|{_NUMBER} %|~ ?{_NUMBER}|`[^`\n]{{1,48}}`"
)
"""Intervals, means with their deviation, comparisons with a number, percentages, and commands."""
_STANDS_FOR_SPACE = "\u00a4"  # one column wide, and no space to `re`
_ELLIPSIS = " ..."
_WORD = re.compile(r"\s+|\S+\s*")
_IDEOGRAPH = "[\u2e80-\u9fff\uac00-\ud7a3\uff00-\uff60]"
_PART_END = re.compile(rf"(?<=[_/])(?=\w)|(?<=[=,:.\-])(?=[^\W\d])|(?<={_IDEOGRAPH})")
"""Places within a word at which it is broken where it is longer than a line."""


def break_offsets(text: str, width: int) -> list[int]:
    """Returns the offsets at which a line is broken so that no part exceeds a width, if possible.

    Words that are longer than a line are broken behind `_` and `/`, and behind other punctuation
    that a letter follows. What has no such place exceeds the width.

    Args:
        text: Text without line ends.
        width: Width of a line in columns of a terminal.

    >>> text = "12 to 3 images of classifier_only"
    >>> [text[i:] for i in break_offsets(text, 12)]
    ['images of classifier_only', 'classifier_only', 'only']
    """
    fixed = _without_breaks_in_intervals(text)
    found: list[int] = []
    start = 0
    for begin, end in _spans(_WORD, fixed):
        if _columns(fixed, start, end) <= width:
            continue
        if begin > start:
            found.append(begin)
            start = begin
        for part_begin, part_end in _parts(fixed, begin, end):
            if part_begin > start and _columns(fixed, start, part_end) > width:
                found.append(part_begin)
                start = part_begin
    return found


def first_line(text: str, width: int) -> str:
    """Returns a text cut to a width behind a word, with an ellipsis where something is left out.

    >>> first_line("12 to 3 images of cats", 12)
    '12 to 3 ...'
    """
    if cell_len(text) <= width:
        return text
    ends = break_offsets(text, width - len(_ELLIPSIS))
    return text[: ends[0]].rstrip(" ,;:") + _ELLIPSIS


def widest_word(text: str) -> int:
    """Returns the width in columns of the widest word or interval.

    >>> widest_word("12 to 3 images of classifier_only")
    15
    """
    fixed = _without_breaks_in_intervals(text)
    return max((_columns(fixed, *span) for span in _spans(_WORD, fixed)), default=0)


def widest_part(text: str) -> int:
    """Returns the width in columns of the widest part of a text that `break_offsets` keeps whole.

    >>> widest_part("12 to 3 images of classifier_only")
    11
    """
    fixed = _without_breaks_in_intervals(text)
    parts = (part for span in _spans(_WORD, fixed) for part in _parts(fixed, *span))
    return max((_columns(fixed, *part) for part in parts), default=0)


def _without_breaks_in_intervals(text: str) -> str:
    """Returns a text of the same length in which intervals and numbers with units are words."""
    if " " not in text:
        return text
    return _UNBROKEN.sub(lambda found: found[0].replace(" ", _STANDS_FOR_SPACE), text)


def _spans(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in pattern.finditer(text))


def _parts(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    ends = [found.start() for found in _PART_END.finditer(text, begin, end)]
    places = [begin, *(place for place in ends if begin < place < end), end]
    return itertools.pairwise(places)


def _columns(text: str, begin: int, end: int) -> int:
    return cell_len(text[begin:end].rstrip())
