"""Names that fit into figures."""

from __future__ import annotations

import re
from collections.abc import Sequence


def labels(names: Sequence[str], *, width: int, lines: int) -> list[str]:
    """Returns names, broken into lines and with their middle left out where they are too long.

    Where two would read alike, all are broken but none is cut.

    Args:
        names: Of methods.
        width: Letters of a line.
        lines: Of a name, at most.
    """
    broken = [_broken(name, width) for name in names]
    cut = [_cut(name, parts, width, lines) for name, parts in zip(names, broken, strict=True)]
    if len(set(cut)) == len(set(names)):
        return cut
    return ["\n".join(parts) for parts in broken]


def _broken(name: str, width: int) -> list[str]:
    """Breaks a name behind blanks and signs, or anywhere if there are none."""
    parts: list[str] = []
    for piece in re.findall(rf"[^ _+/,-]{{1,{width - 1}}}[ _+/,-]?|[ _+/,-]", name):
        if parts and len((parts[-1] + piece).rstrip()) <= width:
            parts[-1] += piece
        else:
            parts.append(piece)
    return [part.strip(" ") for part in parts] or [""]


def _cut(name: str, parts: list[str], width: int, lines: int) -> str:
    if len(parts) <= lines:
        return "\n".join(parts)
    if lines == 1:
        head = (width - 1) // 2
        return f"{name[:head]}…{name[head + 1 - width :]}"
    return "\n".join([*parts[: lines - 1], "…" + name[1 - width :]])
