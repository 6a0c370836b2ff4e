"""HTML of the cells of a table. Of a long table, all but the first rows are data for the script."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from ltbench.io.text import terminal_text
from ltbench.report.page.content import CellValue, Column, Link, ShortName, Table, WithInterval

MAX_WRITTEN_ROWS = 1000
"""Number of rows that a table has as HTML. A browser takes seconds for the layout of more."""
FIRST_ROWS = 200
"""Number of rows that are HTML where a table has more than `MAX_WRITTEN_ROWS`."""
NO_VALUE = "\N{EN DASH}"


def format_cell(value: CellValue, column: Column) -> str:
    """Returns the text of a table cell.

    Args:
        value: Value; numbers get the column's decimals and commas between thousands.
        column: Column of the cell.

    Returns:
        Text; empty for None, NaN and "".
    """
    if isinstance(value, ShortName | Link):
        return value.text
    if isinstance(value, WithInterval):
        bounds = format_bounds(value, column)
        return f"{format_cell(value.value, column)} {bounds}".rstrip()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str) or column.decimals is None:
        return str(value)
    text = f"{value:z,.{column.decimals}f}"  # z: no negative zero
    return text.replace("-", "\N{MINUS SIGN}")  # as wide as a digit


def format_bounds(value: WithInterval, column: Column) -> str:
    """Returns the interval of an estimate as text; empty where a bound is unknown."""
    bounds = [format_cell(bound, column) for bound in (value.low, value.high)]
    return f"[{', '.join(bounds)}]" if all(bounds) else ""


def column_class(table: Table, position: int) -> str:
    """Returns the classes of the cells of a column, for the style sheet; may be empty."""
    column = table.columns[position]
    place = "name" if position == table.name_column else ""
    names = [
        "before" if position < table.name_column else place,
        "" if column.decimals is None else "number",
        "" if column.shown == "always" else column.shown,
    ]
    return " ".join(filter(None, names))


def written_rows(table: Table) -> Sequence[Sequence[CellValue]]:
    """Returns the rows that are HTML."""
    return table.rows if len(table.rows) <= MAX_WRITTEN_ROWS else table.rows[:FIRST_ROWS]


def body_html(table: Table) -> Markup:
    """Returns the rows of the body as HTML."""
    classes = [column_class(table, position) for position in range(len(table.columns))]
    openings = [
        f"<{_tag(table, position)}"
        + (' scope="row"' if position == table.name_column else "")
        + (f' class="{names}">' if names else ">")
        for position, names in enumerate(classes)
    ]
    closings = [f"</{_tag(table, position)}>" for position in range(len(table.columns))]
    lines = []
    for number, row in enumerate(written_rows(table)):
        cells = [
            opening + _cell_html(value, column) + closing
            for opening, value, column, closing in zip(
                openings, row, table.columns, closings, strict=True
            )
        ]
        best = ' class="leading"' if number < table.leading else ""
        lines.append(f"<tr{best}>{''.join(cells)}</tr>\n")
    return Markup("".join(lines))


def rest_json(table: Table) -> Markup:
    """Returns the texts of the other rows as JSON that is safe within a script element."""
    rest = [
        [_cell_json(value, column) for value, column in zip(row, table.columns, strict=True)]
        for row in table.rows[len(written_rows(table)) :]
    ]
    text = json.dumps(rest, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def link_html(link: Link) -> Markup:
    """Returns a link as HTML; one to another site sends no referrer."""
    outside = ' rel="external nofollow noopener noreferrer"' if ":" in link.address else ""
    text, whole = terminal_text(link.text), terminal_text(link.whole)
    title = f' title="{escape(whole)}"' if whole and whole != text else ""
    address = escape(terminal_text(link.address))
    return Markup(f'<a href="{address}"{outside}{title}>{escape(text)}</a>')


def _tag(table: Table, position: int) -> str:
    return "th" if position == table.name_column else "td"


def _cell_html(value: CellValue, column: Column) -> str:
    if isinstance(value, WithInterval):
        bounds = format_bounds(value, column)
        shown = str(escape(format_cell(value.value, column)))
        return f'{shown} <span class="interval">{escape(bounds)}</span>' if bounds else shown
    text = str(escape(_cell_text(value, column)))
    if isinstance(value, Link):
        return str(link_html(value))
    if isinstance(value, ShortName) and value.whole != value.text:
        return f'<span title="{escape(terminal_text(value.whole))}">{text}</span>'
    return text


def _cell_text(value: CellValue, column: Column) -> str:
    return terminal_text(format_cell(value, column)) or NO_VALUE


def _cell_json(value: CellValue, column: Column) -> str | dict[str, str]:
    text = _cell_text(value, column)
    return {"text": text, "address": value.address} if isinstance(value, Link) else text
