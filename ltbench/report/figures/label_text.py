"""Names that fit into figures."""

from __future__ import annotations

import re
from collections.abc import Sequence


def shorten_names(names: Sequence[str], *, width: int, lines: int = 1) -> list[str]:
    """Returns names broken into lines; of longer ones the last line has its middle left out.

    What is left out is chosen so that no two read alike; where that cannot be, those that are cut
    end in their positions, from 1.

    Args:
        names: Of methods.
        width: Letters of a line.
        lines: Of a name, at most.
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
    """Breaks a name behind blanks and signs, or anywhere if there are none."""
    parts: list[str] = []
    for piece in re.findall(rf"[^ _+/,-]{{1,{width - 1}}}[ _+/,-]?|[ _+/,-]", name):
        if parts and len((parts[-1] + piece).rstrip()) <= width:
            parts[-1] += piece
        else:
            parts.append(piece)
    return parts


def _join_lines(parts: Sequence[str], width: int, lines: int, head: int, end: str) -> str:
    """Joins lines; if they are too many, cuts the last one behind `head` letters."""
    kept, rest = list(parts[: lines - 1]), "".join(parts[lines - 1 :])
    if len(rest.rstrip()) > width:
        tail = width - 1 - head
        rest = rest[:head] + "…" + (rest[-tail:] if tail > 0 else "")
        rest = rest[: width - len(end)] + end
    return "\n".join(part.rstrip(" ") for part in [*kept, rest] if part)
