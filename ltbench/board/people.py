"""Columns and rows of tables of contributors."""

from __future__ import annotations

from ltbench.board.contributors import Contributor
from ltbench.report.page.content import CellValue, Column, Link

PEOPLE_COLUMNS = (
    Column("who"),
    Column("affiliation"),
    Column("link"),
    Column("paper"),
    Column("note"),
    Column("folder", "name of the contributor's folder"),
)
"""Columns of a table of contributors: the author's own words, but for the folder."""


def people_row(contributor: Contributor) -> tuple[CellValue, ...]:
    """Returns the row of a contributor."""
    link, paper = contributor.link, contributor.paper
    return (
        contributor.who,
        contributor.affiliation,
        Link(link.removeprefix("https://"), link) if link else None,
        Link(paper, contributor.paper_address) if paper else None,
        contributor.note,
        contributor.name,
    )
