"""What a page shows, whatever it is about: sections of words, tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

CellValue = str | float | None
"""Of a table's cell; None is shown as a dash and sorted last."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        title: Shown above it.
        help: What its numbers mean, shown on demand; may be empty.
        decimals: Of its numbers; None where it holds words.
        filtered: Whether readers are offered its words to choose rows by.
    """

    title: str
    help: str = ""
    decimals: int | None = None
    filtered: bool = False


@dataclass(frozen=True)
class Table:
    """A table that readers can sort, and filter.

    Args:
        name: In snake_case, unique on the page.
        caption: What it shows, in a sentence.
        columns: (C,) columns; the first names the row.
        rows: Each of C values.
        folded: Whether it is closed until a reader opens it.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[CellValue]]
    folded: bool = False


@dataclass(frozen=True)
class Picture:
    """A figure of the page, which is also a file for papers.

    Args:
        name: In snake_case, unique on the page: the stem of its files.
        caption: What it shows and how to read it.
        svg: The `<svg>` element, without an XML declaration. It is trusted. Its ids begin with the
            name, so that they are unique on the page.
        description: What it shows in words, for those who cannot see it.
    """

    name: str
    caption: str
    svg: str
    description: str


@dataclass(frozen=True)
class Listing:
    """Text that is shown as it is, such as commands.

    Args:
        title: What it is.
        text: Its lines.
    """

    title: str
    text: str


Block = Table | Picture | Listing
"""What a section holds besides words."""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Args:
        name: In kebab-case, unique on the page: the anchor.
        title: Its heading.
        paragraphs: Paragraphs, before the blocks.
        findings: Sentences that say what was found, as a list.
        blocks: Tables, figures and listings in order.
        sections: Parts of the part.
    """

    name: str
    title: str
    paragraphs: Sequence[str] = ()
    findings: Sequence[str] = ()
    blocks: Sequence[Block] = ()
    sections: Sequence[Section] = field(default_factory=tuple)


@dataclass(frozen=True)
class Page:
    """A whole page.

    Args:
        title: Its heading.
        lead: What it is about, in a sentence or two.
        facts: Short facts about it as pairs of name and value, such as ("runs", "35").
        sections: Its parts, listed in the navigation.
        made_with: Which version made it.
    """

    title: str
    lead: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    made_with: str
