"""Content of a page: sections with paragraphs, tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Link:
    """Link to another page, as the value of a table cell or in the navigation.

    Args:
        text: Text of the link.
        address: Address: a path relative to the page, or one that begins with `https://`.
    """

    text: str
    address: str


CellValue = str | float | Link | None
"""Value of a table cell; None is shown as a dash and sorted last."""


@dataclass(frozen=True)
class Column:
    """Column of a table.

    Args:
        title: Head of the column.
        help: Explanation of the values, shown on demand; may be empty.
        decimals: Number of decimals; None for a column of text.
        filtered: Whether the page has a filter for the values of the column.
    """

    title: str
    help: str = ""
    decimals: int | None = None
    filtered: bool = False


@dataclass(frozen=True)
class Table:
    """Table that readers can sort and filter.

    Args:
        name: Name in snake_case, unique on the page.
        caption: Description in a sentence.
        columns: (C,) columns; the first has the names of the rows.
        rows: Rows of C values each.
        folded: Whether the table is collapsed at first.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[CellValue]]
    folded: bool = False


@dataclass(frozen=True)
class Picture:
    """Figure of the page, with files for papers beside it.

    Args:
        name: Name in snake_case, unique on the page; stem of the file names.
        caption: Description of the figure and of how to read it.
        svg: `<svg>` element without an XML declaration. It is trusted, and not escaped. Its ids
            begin with the name, so that they are unique on the page.
        description: Content as text, for screen readers.
    """

    name: str
    caption: str
    svg: str
    description: str


@dataclass(frozen=True)
class Listing:
    """Preformatted text, such as commands.

    Args:
        title: Title.
        text: Text, with line breaks.
    """

    title: str
    text: str


SectionBlock = Table | Picture | Listing
"""Block of a section, shown after its paragraphs."""


@dataclass(frozen=True)
class Section:
    """Section of the page.

    Args:
        name: Anchor in kebab-case, unique on the page.
        title: Heading.
        paragraphs: Paragraphs, shown first.
        findings: Results as sentences, shown as a list.
        blocks: Tables, figures and listings, in order.
        sections: Subsections.
    """

    name: str
    title: str
    paragraphs: Sequence[str] = ()
    findings: Sequence[str] = ()
    blocks: Sequence[SectionBlock] = ()
    sections: Sequence[Section] = field(default_factory=tuple)


@dataclass(frozen=True)
class Page:
    """Whole page.

    Args:
        title: Heading.
        lead: Summary in one or two sentences.
        facts: Pairs of name and value, such as ("runs", "35").
        sections: Sections, listed in the navigation.
        made_with: Name and version of the program that made the page.
        links: Links to other pages of the same site, shown above the navigation.
    """

    title: str
    lead: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    made_with: str
    links: Sequence[Link] = ()
