"""Markdown in a terminal, on a light or a dark ground, with nothing cut from a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markdown import Markdown, TableElement
from rich.table import Table
from rich.theme import Theme

THEME = Theme({"markdown.code": "cyan", "markdown.table.border": "dim"})
"""Colours that are read on every ground: rich's own code is on black."""


class _WholeTable(TableElement):
    """Table whose cells are folded where they are too wide, instead of cut."""

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        for table in super().__rich_console__(console, options):
            if isinstance(table, Table):
                for column in table.columns:
                    column.overflow = "fold"
            yield table  # type: ignore[misc]


class _Page(Markdown):
    elements: ClassVar = {**Markdown.elements, "table_open": _WholeTable}


def print_markdown(console: Console, text: str, width: int) -> None:
    """Prints Markdown.

    Args:
        console: Console to print on.
        text: Markdown, without links: their addresses are shown in parentheses.
        width: Number of columns.
    """
    with console.use_theme(THEME):
        console.print(_Page(text, code_theme="ansi_dark", hyperlinks=False), width=width)
