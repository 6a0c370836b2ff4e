"""Names shortened and broken into lines for figures."""

from __future__ import annotations

import re
from collections.abc import Sequence


def shorten_names(names: Sequence[str], *, width: int, lines: int = 1) -> list[str]:
    """Returns names broken into lines; the middle of a last line that is too long is left out.

    The part left out is chosen such that short names remain unique. Where this is not possible,
    shortened names end with their position, from 1.

    Args:
        names: Names of methods.
        width: Maximum number of characters of a line.
        lines: Maximum number of lines of a name.
    """
    broken = [_break_name(name, width) for name in names]
    middle = (width - 1) // 2
    for head in sorted(range(width), key=lambda length: abs(length - middle)):
        cut = [_join_lines(parts, width, lines, head, "") for parts in broken]
        if len(set(cut)) == len(set(names)):
            return cut
    return [
        _join_lines(parts, width, lines, width, f" ({position})")
        for position, parts in enumerate(broken, start=1)
    ]


def _break_name(name: str, width: int) -> list[str]:
    """Breaks a name after spaces and punctuation, or within a word that is too long."""
    parts: list[str] = []
    for piece in re.findall(rf"[^ _+/,-]{{1,{width - 1}}}[ _+/,-]?|[ _+/,-]", name):
        if parts and len((parts[-1] + piece).rstrip()) <= width:
            parts[-1] += piece
        else:
            parts.append(piece)
    return parts


def _join_lines(parts: Sequence[str], width: int, lines: int, head: int, end: str) -> str:
    """Joins lines; if there are too many, shortens the last one after `head` characters."""
    kept, rest = list(parts[: lines - 1]), "".join(parts[lines - 1 :])
    if len(rest.rstrip()) > width:
        tail = width - 1 - head
        rest = rest[:head] + "…" + (rest[-tail:] if tail > 0 else "")
        rest = rest[: width - len(end)] + end
    return "\n".join(part.rstrip(" ") for part in [*kept, rest] if part)
