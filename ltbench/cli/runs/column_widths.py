"""Widths of the columns of a list of runs, for the width of a terminal."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

GAP = 2  # characters between two columns
_MIN_FOLDED_WIDTH = 12  # characters that a long text keeps, those of a hash


def column_widths(
    longest: Mapping[str, int], total: int, *, foldable: Collection[str], optional: Collection[str]
) -> dict[str, int]:
    """Returns the widths of the columns that are shown, by name.

    Where there is too little room, the titles of columns are folded first, then the longest texts.
    Then optional columns are left out, the last first. Values that cannot be folded keep their
    width, so the sum may exceed the total.

    Args:
        longest: Characters of the longest value of each column.
        total: Width of the terminal in characters.
        foldable: Columns with texts, which may be folded.
        optional: Columns that may be left out.
    """
    shown = {name: max(len(name), width) for name, width in longest.items()}
    if _sum(shown) > total:
        shown = {name: max(_title_width(name), width) for name, width in longest.items()}
    folded = _folded(shown, total, foldable)
    for name in reversed([name for name in longest if name in optional]):
        if _sum(folded) <= total:
            break
        del shown[name]
        folded = _folded(shown, total, foldable)
    return folded


def folded_title(name: str, width: int) -> str:
    """Returns the title of a column, broken behind dots and underscores where it is too long.

    Args:
        name: Name of the column.
        width: Width of the column in characters.
    """
    return name if len(name) <= width else "\n".join(_parts(name))


def _folded(widths: Mapping[str, int], total: int, foldable: Collection[str]) -> dict[str, int]:
    """Returns widths of which the largest foldable ones are reduced, as far as is needed."""
    found = dict(widths)
    excess = _sum(found) - total
    while excess > 0:
        long = [name for name in foldable if found.get(name, 0) > _MIN_FOLDED_WIDTH]
        if not long:
            break
        found[max(long, key=lambda name: found[name])] -= 1
        excess -= 1
    return found


def _parts(name: str) -> list[str]:
    return re.findall(r"[^._]+[._]?|[._]+", name)


def _title_width(name: str) -> int:
    return max(map(len, _parts(name)))


def _sum(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + GAP * max(len(widths) - 1, 0)
