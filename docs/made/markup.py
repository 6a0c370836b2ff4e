"""Pieces of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def cell(text: str) -> str:
    """Returns a text as the cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table; cells are escaped already."""
    lines = [
        "|" + "|".join(f" {one} " if one else " " for one in line) + "|" for line in (titles, *rows)
    ]
    return "\n".join([lines[0], f"|{'---|' * len(titles)}", *lines[1:]])


def fenced(content: str, language: str) -> str:
    """Returns a block of code."""
    return f"```{language}\n{content.strip()}\n```"
