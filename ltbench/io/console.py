"""Consoles for stdout and stderr, on which no text can do more than be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from ltbench.io.fitted_table import folded
from ltbench.io.text import terminal_text


class _ReadableConsole(Console):
    """Console that neutralises whatever is printed on it, and cuts nothing off, also in tables."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*objects, **{"crop": False, **options})

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


def print_paragraph(out: Console, text: str) -> None:
    """Prints a text: on a terminal in lines that break no word and no interval, else in one line.

    Args:
        out: Console.
        text: Text with markup of rich.
    """
    line = Text.from_markup(text)
    out.print(folded([line], out.width) if out.is_terminal else line, soft_wrap=True)
