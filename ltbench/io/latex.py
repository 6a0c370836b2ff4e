"""Tables for LaTeX: booktabs, notes below the table (threeparttable), long tables over pages."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from ltbench.io.text import latex_text

_LINE_POINTS = 345  # width of a line of LaTeX's class article at 10 points
_MAX_FLOAT_LINES = 40  # lines of rows of a table on one page; longer tables go over pages
_CHARACTER_POINTS = 0.52  # average width of a character, as a share of the size of the font
_SMALL_POINTS = 8  # size of the small print, whose letters are wider than those of other sizes
_MIN_TEXT_CHARACTERS = 22  # that a column of texts keeps where its lines are broken
_LEAST_TEXT_CHARACTERS = 14  # the same in the smallest font
_GAP_CHARACTERS = 0.6  # width of the space before the small print of a cell
_PARAGRAPH = r">{\raggedright\arraybackslash}p"


@dataclass(frozen=True)
class _Font:
    """Size of a table's font, and the space at each side of a column, in points."""

    command: str
    points: float
    space: float


_FONTS = (
    _Font("", 10, 6),
    _Font(r"\small", 9, 5),
    _Font(r"\footnotesize", 8, 4),
    _Font(r"\scriptsize", 7, 3),
)


@dataclass(frozen=True, eq=False)
class LatexTable:
    """Table for LaTeX. Its texts are escaped when it is written.

    Args:
        texts: Table of texts; its index is not written.
        left: Heads of the columns that are aligned at the left; the others are at the right.
        caption: Caption of a line.
        label: Words that the label is made of.
        notes: Sentences below the table.
        bold: Cells in bold: number of the row, and head of the column.
        underlined: Underlined cells.
        small: Head of a column -> what follows each of its texts in small print.
    """

    texts: pd.DataFrame
    left: Collection[str]
    caption: str
    label: str
    notes: Sequence[str] = ()
    bold: Collection[tuple[int, str]] = ()
    underlined: Collection[tuple[int, str]] = ()
    small: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Layout:
    """Font of a table, formats of its columns, and the lines that its rows take."""

    font: _Font
    columns: str
    broken: Collection[str]
    lines: int

    @property
    def is_long(self) -> bool:
        return self.lines > _MAX_FLOAT_LINES


def latex_tables(tables: Sequence[LatexTable]) -> str:
    r"""Returns tables for LaTeX, after a comment with the packages that they need.

    Each has a label of its own, as `\label{tab:digits-lt}`. The font is as small as the width of a
    line needs, and where it is not small enough, long texts are broken. A table that is longer than
    a page goes over several (longtable).

    Args:
        tables: Tables of one file.
    """
    layouts = [_layout(table) for table in tables]
    packages = {"booktabs"}
    for table, layout in zip(tables, layouts, strict=True):
        packages |= {"array"} if layout.broken else set()
        packages |= {"longtable"} if layout.is_long else set()
        if table.notes:
            packages |= {"threeparttablex" if layout.is_long else "threeparttable"}
    labels: list[str] = []
    for table in tables:
        labels.append(_label(table.label, labels))
    parts = [
        (_long_table if layout.is_long else _floating_table)(table, layout, label)
        for table, layout, label in zip(tables, layouts, labels, strict=True)
    ]
    needed = ",".join(sorted(packages))
    return "\n".join([f"% needs \\usepackage{{{needed}}}\n{parts[0]}", *parts[1:]])


def _label(words: str, taken: Collection[str]) -> str:
    """Returns a label that is not in `taken`."""
    base = "tab:" + (re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "results")
    label, number = base, 1
    while label in taken:
        number += 1
        label = f"{base}-{number}"
    return label


def _floating_table(table: LatexTable, layout: _Layout, label: str) -> str:
    inner = [
        rf"\caption{{{latex_text(table.caption)}}}",
        rf"\label{{{label}}}",
        *_font_lines(layout),
        rf"\begin{{tabular}}{{{layout.columns}}}",
        r"\toprule",
        _head(table),
        r"\midrule",
        *_rows(table, layout),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    if table.notes:
        inner += [r"\begin{tablenotes}[flushleft]", *_items(table.notes)]
        inner = [r"\begin{threeparttable}", *inner, r"\end{tablenotes}", r"\end{threeparttable}"]
    return "\n".join([r"\begin{table}", r"\centering", *inner, r"\end{table}", ""])


def _long_table(table: LatexTable, layout: _Layout, label: str) -> str:
    repeated = [r"\toprule", _head(table), r"\midrule"]
    inner = [
        rf"\begin{{longtable}}{{{layout.columns}}}",
        rf"\caption{{{latex_text(table.caption)}}}",
        rf"\label{{{label}}} \\",
        *repeated,
        r"\endfirsthead",
        *repeated,
        r"\endhead",
        r"\bottomrule",
        r"\endfoot",
        r"\bottomrule",
        *([r"\insertTableNotes"] if table.notes else []),
        r"\endlastfoot",
        *_rows(table, layout),
        r"\end{longtable}",
    ]
    if table.notes:
        notes = [r"\begin{TableNotes}[flushleft]", *_items(table.notes)]
        inner = [r"\begin{ThreePartTable}", *notes, r"\end{TableNotes}", *inner]
        inner.append(r"\end{ThreePartTable}")
    return "\n".join([r"\begingroup", *_font_lines(layout), *inner, r"\endgroup", ""])


def _font_lines(layout: _Layout) -> list[str]:
    if not layout.font.command:
        return []
    return [layout.font.command, rf"\setlength{{\tabcolsep}}{{{layout.font.space:g}pt}}"]


def _items(notes: Sequence[str]) -> list[str]:
    flush = [r"\footnotesize", r"\setlength{\labelsep}{0pt}"]
    return [*flush, *(rf"\item {latex_text(note)}" for note in notes)]


def _head(table: LatexTable) -> str:
    return " & ".join(map(latex_text, table.texts.columns)) + r" \\"


def _rows(table: LatexTable, layout: _Layout) -> list[str]:
    rows = []
    for number, texts in enumerate(table.texts.itertuples(index=False, name=None)):
        cells = [
            _cell(table, layout, number, head, text)
            for head, text in zip(table.texts.columns, texts, strict=True)
        ]
        # A row that begins with "[" or "*" would be an option of the line break before it.
        start = "{}" if cells[0][:1] in ("[", "*") else ""
        rows.append(start + " & ".join(cells) + r" \\")
    return rows


def _cell(table: LatexTable, layout: _Layout, number: int, head: str, text: str) -> str:
    cell = latex_text(text)
    if head in layout.broken:
        cell = re.sub(r"(\\_|=|/|\.(?=[a-z]))", r"\1\\allowbreak{}", cell)
    if (number, head) in table.bold:
        cell = rf"\textbf{{{cell}}}"
    if (number, head) in table.underlined:
        cell = rf"\underline{{{cell}}}"
    small = table.small.get(head)
    if not small or not any(small):
        return cell
    if text and not small[number]:  # numbers above each other, whatever follows them
        return rf"{cell} {{\scriptsize\hphantom{{{latex_text(max(small, key=len))}}}}}"
    return rf"{cell} {{\scriptsize {latex_text(small[number])}}}" if text else ""


def _layout(table: LatexTable) -> _Layout:
    """Returns the largest font in which the table is no wider than a line.

    Where none is small enough, columns of texts are broken, in the largest font in which the table
    fits a page.
    """
    texts = [head for head in table.texts.columns if head in table.left]
    formats = {head: "l" if head in texts else "r" for head in table.texts.columns}
    broken = []
    for font in _FONTS:
        widths = {head: _characters(table, head, font) for head in formats}
        gaps = 2 * font.space * len(widths)
        points = font.points * _CHARACTER_POINTS
        if sum(widths.values()) * points + gaps <= _LINE_POINTS:
            return _Layout(font, "".join(formats.values()), (), len(table.texts))
        long = [head for head in texts if widths[head] > _MIN_TEXT_CHARACTERS]
        others = sum(width for head, width in widths.items() if head not in long)
        room = (_LINE_POINTS - gaps) / points - others  # characters that the texts may have
        if long and (room >= len(long) * _MIN_TEXT_CHARACTERS or font is _FONTS[-1]):
            each = max(room / len(long), _LEAST_TEXT_CHARACTERS)
            columns = {head: f"{_PARAGRAPH}{{{each * points:.0f}pt}}" for head in long}
            lines = (
                max(math.ceil(len(text) / each) for text in row)
                for row in table.texts[long].itertuples(index=False, name=None)
            )
            broken.append(_Layout(font, "".join({**formats, **columns}.values()), long, sum(lines)))
    if not broken:
        return _Layout(_FONTS[-1], "".join(formats.values()), (), len(table.texts))
    return next((layout for layout in broken if not layout.is_long), broken[-1])


def _characters(table: LatexTable, head: str, font: _Font) -> float:
    """Returns the width of a column in characters of the table's font."""
    share = _SMALL_POINTS / font.points
    small = table.small.get(head) or [""] * len(table.texts)
    after = max(map(len, small), default=0)
    texts = max(map(len, table.texts[head]), default=0)
    return max(len(head), texts + (_GAP_CHARACTERS + share * after if after else 0))
