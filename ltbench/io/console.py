"""Consoles for stdout and stderr, on which no text can do more than be read."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table

from ltbench.io.text import terminal_text


class _ReadableConsole(Console):
    """Console that neutralises whatever is printed on it, also within tables."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():  # the console's own, or harmless
                yield segment
            else:
                yield segment._replace(text=terminal_text(segment.text))


def console(*, stderr: bool = False) -> Console:
    """Returns a console that prints text as it is, without control characters.

    Markup such as `[bold]` is still read: `rich.markup.escape` is for text of others.

    Args:
        stderr: Whether it writes to stderr instead of stdout.
    """
    return _ReadableConsole(stderr=stderr, highlight=False)


def plain_table(*columns: str) -> Table:
    """Returns a table without lines."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
