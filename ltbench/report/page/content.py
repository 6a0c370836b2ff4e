"""Content of a page: sections with paragraphs, tables, figures, images and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class WithInterval:
    """Number of a table cell with its interval.

    Args:
        value: WithInterval; the cell is sorted by it.
        low: Lower bound; None where unknown.
        high: Upper bound; None where unknown.
    """

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ShortName:
    """Name of a row whose whole text is shown on demand.

    Args:
        text: Short text.
        whole: Whole text.
    """

    text: str
    whole: str


@dataclass(frozen=True)
class Link:
    """Link to another page, as the value of a table cell or in the navigation.

    Args:
        text: Text of the link.
        address: Address: a path relative to the page, or one that begins with `https://`.
        whole: Whole text, shown on demand, where `text` is a short one; else empty.
    """

    text: str
    address: str
    whole: str = ""


CellValue = str | float | WithInterval | ShortName | Link | None
"""Value of a table cell; None is shown as a dash and sorted last."""
Shown = Literal["always", "wide", "more"]
"""Where a column is shown at first: always; not on phones; only with "more columns"."""


@dataclass(frozen=True)
class Column:
    """Column of a table.

    Args:
        title: Head of the column.
        help: Explanation of the values, shown on demand; may be empty.
        decimals: Number of decimals; None for a column of text.
        filtered: Whether the page has a filter for the values of the column.
        shown: Place where the column is shown at first.
    """

    title: str
    help: str = ""
    decimals: int | None = None
    filtered: bool = False
    shown: Shown = "always"


@dataclass(frozen=True)
class Table:
    """Table that readers can sort and filter.

    Args:
        name: Name in snake_case, unique on the page.
        caption: Description in a sentence.
        columns: (C,) columns.
        rows: Rows of C values each.
        folded: Whether the table is collapsed at first.
        name_column: Position of the column with the names of the rows. It and those before it stay
            in sight when the table is scrolled sideways.
        leading: Number of rows, from the first, whose names are marked as the best.
        key: Marks in the names of rows, and the text that each stands for.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[CellValue]]
    folded: bool = False
    name_column: int = 0
    leading: int = 0
    key: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Picture:
    """Figure of the page, with files for papers beside it.

    Args:
        name: Name in snake_case, unique on the page; stem of the file names.
        caption: Description of the figure and of how to read it.
        svg: `<svg>` element without an XML declaration. It is trusted, and not escaped. Its ids
            begin with the name, so that they are unique on the page. The page shows the text of
            `data-tip` attributes where a reader points at, or moves to, their elements.
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
        folded: Whether the text is collapsed at first.
    """

    title: str
    text: str
    folded: bool = False


@dataclass(frozen=True)
class Properties:
    """Pairs of name and value, such as the versions of an environment.

    Args:
        title: Title.
        items: Pairs of name and value.
    """

    title: str
    items: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Notes:
    """Sentences that are collapsed at first; their number is shown.

    Args:
        title: Title, such as "Notes".
        texts: Sentences; none where empty, and then nothing is shown.
    """

    title: str
    texts: Sequence[str]


@dataclass(frozen=True)
class SheetImage:
    """Image of a sheet, embedded into the page.

    Args:
        data: Encoded image.
        media_type: Media type of the encoding, such as "image/jpeg".
        caption: Text below the image.
        description: Content as text, for screen readers.
    """

    data: bytes
    media_type: str
    caption: str
    description: str


@dataclass(frozen=True)
class ImageSheet:
    """Contact sheet: small images in a grid.

    Args:
        name: Name in snake_case, unique on the page.
        caption: Description in a sentence.
        images: Images, in reading order.
    """

    name: str
    caption: str
    images: Sequence[SheetImage]


@dataclass(frozen=True)
class Beside:
    """Table with a figure at its right side, or below it where there is no room.

    Args:
        table: Table.
        picture: Figure.
    """

    table: Table
    picture: Picture


SectionBlock = Table | Picture | Listing | Properties | Notes | ImageSheet | Beside
"""Block of a section, shown after its paragraphs."""


@dataclass(frozen=True)
class Answer:
    """Result in words.

    Args:
        headline: One sentence.
        detail: Further sentences; may be empty.
    """

    headline: str
    detail: str = ""


@dataclass(frozen=True)
class Section:
    """Section of the page.

    Args:
        name: Anchor in kebab-case, unique on the page.
        title: Heading.
        paragraphs: Paragraphs, shown first.
        findings: Results as sentences, shown as a list.
        blocks: Blocks in order; figures that follow each other are shown side by side.
        sections: Subsections.
        answer: Result in words, shown below the heading; None for none.
        facts: Pairs of name and value that hold for the whole section.
        folded: Whether the subsections are collapsed at first.
    """

    name: str
    title: str
    paragraphs: Sequence[str] = ()
    findings: Sequence[str] = ()
    blocks: Sequence[SectionBlock] = ()
    sections: Sequence[Section] = field(default_factory=tuple)
    answer: Answer | None = None
    facts: Sequence[tuple[str, str]] = ()
    folded: bool = False


@dataclass(frozen=True)
class Page:
    """Whole page.

    Args:
        title: Heading.
        answer: Result in words: the first sentence of the page.
        facts: Pairs of name and value, such as ("runs", "35").
        sections: Sections, listed in the navigation.
        made_with: Name and version of the program that made the page.
        links: Links to other pages of the same site, the first of the navigation.
    """

    title: str
    answer: Answer
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    made_with: str
    links: Sequence[Link] = ()
