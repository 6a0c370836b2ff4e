"""Tables for the terminal that fit its width and break no word and no interval."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from ltbench.io.line_breaks import break_offsets, widest_part, widest_word

_GAP = 2  # columns of the terminal between two columns of a table
_LEGIBLE_WIDTH = 24  # of a column of texts; columns are left out before it is narrower
_Measure = Callable[[str], int]


@dataclass(frozen=True)
class _Column:
    """Column of a table; `FittedTable.add_column` describes the fields."""

    head: str
    right: bool = False
    drop: int = 0


class FittedTable:
    """Table without lines that rich prints in the width of the terminal.

    Where there is too little room, titles are folded first, then texts. Then optional columns are
    left out, the least important first, and a line below the table names them. Words are broken
    last, behind `_` and `/`. Numbers and intervals are never broken.

    Args:
        heads: Titles of columns of texts.
        elsewhere: Clause that says how the columns that are left out are shown.
    """

    def __init__(self, *heads: str, elsewhere: str = "") -> None:
        self.columns = [_Column(head) for head in heads]
        self.rows: list[list[Text]] = []
        self._elsewhere = elsewhere

    def add_column(self, head: str, *, right: bool = False, drop: int = 0) -> None:
        """Adds a column.

        Args:
            head: Title, without markup.
            right: Whether its values are at the right, as numbers are. They are broken last, at
                spaces alone, as between a mean and its interval.
            drop: 0 for a column that is always shown. Others are left out where there is too little
                room: 1 first, then 2, and so on.
        """
        self.columns.append(_Column(head, right, drop))

    def add_row(self, *cells: str, style: str = "") -> None:
        """Adds a row.

        Args:
            cells: Values with markup of rich: `rich.markup.escape` is for texts of others.
            style: Style of the row.
        """
        self.rows.append([Text.from_markup(cell, style=style) for cell in cells])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yields the table, and a line about the columns that were left out."""
        widths = self._widths(options.max_width)
        shown = widths and all(widths.values())  # rich may widen a column without content
        if shown and console.color_system is None and self._is_plain():
            yield from self._plain_lines(widths)
        else:
            yield from self._rendered(widths, console, options)
        hidden = [c.head for place, c in enumerate(self.columns) if place not in widths]
        if hidden:
            note = f"no room for {', '.join(hidden)}: {self._elsewhere}"
            yield folded([Text(note, style="dim")], options.max_width)

    def _is_plain(self) -> bool:
        """Returns whether rich would print the texts as they are."""
        heads = (column.head for column in self.columns)
        texts = (part for row in self.rows for cell in row for part in cell.plain.split("\n"))
        return all(map(str.isprintable, itertools.chain(heads, texts)))

    def _plain_lines(self, widths: Mapping[int, int]) -> Iterator[Segment]:
        """Yields what `_rendered` does without styles, for files and pipes: in half the time."""
        if any(column.head for column in self.columns):
            heads = [folded([Text(self.columns[at].head)], width) for at, width in widths.items()]
            yield from self._plain_row(heads, widths, at_bottom=True)
        for row in self.rows:
            cells = [folded(row[at].split("\n"), width) for at, width in widths.items()]
            yield from self._plain_row(cells, widths)

    def _plain_row(
        self, cells: Iterable[Text], widths: Mapping[int, int], *, at_bottom: bool = False
    ) -> Iterator[Segment]:
        each = [cell.plain.split("\n") for cell in cells]
        height = max(map(len, each))
        for line in range(height):
            parts = []
            for lines, (at, width) in zip(each, widths.items(), strict=True):
                place = line - (height - len(lines) if at_bottom else 0)
                text = lines[place].rstrip() if 0 <= place < len(lines) else ""
                free = width - cell_len(text)
                if free < 0:
                    text, free = set_cell_size(text, width), 0
                parts.append(" " * free + text if self.columns[at].right else text + " " * free)
            yield Segment((" " * _GAP).join(parts))
            yield Segment.line()

    def _rendered(
        self, widths: Mapping[int, int], console: Console, options: ConsoleOptions
    ) -> RenderResult:
        table = Table(
            box=None,
            pad_edge=False,
            padding=(0, _GAP, 0, 0),
            show_header=any(column.head for column in self.columns),
        )
        for place, width in widths.items():
            column = self.columns[place]
            justify: Literal["left", "right"] = "right" if column.right else "left"
            head = folded([Text(column.head)], width)
            table.add_column(head, justify=justify, width=width, no_wrap=True, overflow="crop")
        for row in self.rows:
            table.add_row(
                *(folded(row[place].split("\n"), width) for place, width in widths.items())
            )
        total = _sum(widths.values()) + _GAP
        yield from console.render(table, options.update_width(max(total, options.max_width)))

    def _widths(self, total: int) -> dict[int, int]:
        """Returns the widths of the columns that are shown, by their place.

        Args:
            total: Width of the terminal.
        """
        places = range(len(self.columns))
        wholes = {place: self._longest(place, cell_len, cell_len) for place in places}
        if _sum(wholes.values()) <= total:
            return wholes
        for of_head in (widest_word, widest_part):
            floors = {place: self._longest(place, of_head, cell_len) for place in places}
            if _sum(floors.values()) <= total:
                return _shrunk(wholes, floors, total)
        words = {place: self._longest(place, widest_part, widest_word) for place in places}
        parts = {place: self._longest(place, widest_part, widest_part) for place in places}
        legible = {
            # Numbers stay on one line; texts are broken while their lines are not too short.
            place: floors[place]
            if column.right
            else max(words[place], min(wholes[place], _LEGIBLE_WIDTH))
            for place, column in enumerate(self.columns)
        }
        optional = sorted((p for p in places if self.columns[p].drop), key=self._drop_of)
        for floors in (legible, words, parts):
            for count in range(len(optional) + 1):
                kept = {p: width for p, width in floors.items() if p not in optional[:count]}
                if _sum(kept.values()) <= total:
                    return _shrunk({place: wholes[place] for place in kept}, kept, total)
        return {place: width for place, width in parts.items() if place not in optional}

    def _drop_of(self, place: int) -> int:
        return self.columns[place].drop

    def _longest(self, place: int, of_head: _Measure, of_text: _Measure) -> int:
        """Returns the width of a column from functions that measure its head and its texts."""
        column = self.columns[place]
        of_value = widest_word if column.right and of_text is widest_part else of_text
        values = (line for row in self.rows for line in row[place].plain.split("\n"))
        return max([of_head(column.head), *map(of_value, values)])


def _shrunk(wholes: dict[int, int], floors: dict[int, int], total: int) -> dict[int, int]:
    """Returns widths that fit: the widest columns are narrowed first, none below its floor."""
    found = dict(wholes)
    for _ in range(_sum(found.values()) - total):
        place = max((p for p in found if found[p] > floors[p]), key=lambda p: found[p])
        found[place] -= 1
    return found


def folded(lines: Iterable[Text], width: int) -> Text:
    """Returns lines broken to a width, without spaces at their ends."""
    return Text("\n").join(part for line in lines for part in _parts(line, width))


def _parts(line: Text, width: int) -> Iterator[Text]:
    for part in line.divide(break_offsets(line.plain, width)):
        part.rstrip()
        yield part


def _sum(widths: Iterable[int]) -> int:
    sizes = list(widths)
    return sum(sizes) + _GAP * max(len(sizes) - 1, 0)
