"""Tables of contributors."""

from __future__ import annotations

from collections.abc import Sequence

from ltbench.board.contributors import Contributor
from ltbench.report.page.content import CellValue, Column, Link, Table

_COLUMNS = (
    Column("who"),
    Column("affiliation", shown="wide"),
    Column("link", shown="wide"),
    Column("paper"),
    Column("note", shown="wide"),
    Column("contributor", "name of the contributor's folder", shown="wide"),
)


def people_table(
    name: str,
    caption: str,
    contributors: Sequence[Contributor],
    others: Sequence[tuple[Column, Sequence[CellValue]]] = (),
) -> Table:
    """Returns a table of contributors in their own words, without columns that are empty.

    Args:
        name: Name of the table.
        caption: Description.
        contributors: P contributors, in order.
        others: Further columns, with P values each.
    """
    own = list(zip(*map(_row, contributors), strict=True))
    columns = [*zip(_COLUMNS, own, strict=True), *others]
    kept = [(column, values) for column, values in columns if any(v is not None for v in values)]
    rows = list(zip(*(values for _, values in kept), strict=True))
    return Table(name, caption, [column for column, _ in kept], rows)


def _row(contributor: Contributor) -> tuple[CellValue, ...]:
    link, paper = contributor.link, contributor.paper
    return (
        contributor.who,
        contributor.affiliation or None,
        Link(link.removeprefix("https://"), link) if link else None,
        Link(paper, contributor.paper_address) if paper else None,
        contributor.note or None,
        contributor.name,
    )
