"""Page of a data set: the report of its runs, with links to the pages of the entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ltbench.analysis.leaderboard.board import Leaderboard
from ltbench.board.entries import BoardDataset, count
from ltbench.report.build import build_report
from ltbench.report.page.content import (
    CellValue,
    Column,
    Link,
    Listing,
    Page,
    Section,
    SectionBlock,
    Table,
)
from ltbench.storage.result_schema import RunResult
from ltbench.storage.results import Found

BY_COLUMN = "result"
_NAME_COLUMN = "method"


@dataclass(frozen=True)
class DatasetPage:
    """Page of a data set, and the files beside it.

    Args:
        page: Content of `index.html`.
        files: Content of the other files of the folder by name: figures and tables.
    """

    page: Page
    files: Mapping[str, bytes]


def dataset_page(
    dataset: BoardDataset, board: Leaderboard, advance: Callable[[], object] = lambda: None
) -> DatasetPage:
    """Returns the page of a data set.

    Args:
        dataset: Data set with its entries.
        board: Leaderboard of all runs.
        advance: Progress callback, called once per method that is compared.
    """
    runs = [run for entry in dataset.entries for run in entry.ranked.cell.runs]
    own = Leaderboard(tuple(each.ranking for each in dataset.rankings), board.published)
    report = build_report(Found(tuple(runs), ()), own, title=dataset.label, advance=advance)
    sections = [
        _with_links(section, dataset)
        for section in report.page.sections
        if section.name != "provenance"  # its commands are texts of the authors
    ]
    people = {each.name for entry in dataset.entries for each in entry.contributors}
    page = replace(
        report.page,
        lead=f"{count(len(dataset.entries), 'entry', 'entries')} by "
        f"{count(len(people), 'contributor')}, each computed again from its predictions; "
        f"{count(len(dataset.published), 'published result')} beside them.",
        facts=[
            ("entries", f"{len(dataset.entries):,}"),
            ("runs", f"{len(runs):,}"),
            ("contributors", f"{len(people):,}"),
            *_class_facts(runs),
        ],
        sections=[*sections, _commands_section(dataset)],
        links=[Link("All data sets", "../index.html")],
    )
    files = {f"figures/{name}": content for name, content in report.figures.files().items()}
    files |= {"leaderboard.csv": report.csv.encode(), "tables.tex": report.latex.encode()}
    return DatasetPage(page, files)


def _class_facts(runs: Sequence[RunResult]) -> list[tuple[str, str]]:
    first = runs[0]
    return [
        ("classes", f"{len(first.classes.names):,}"),
        ("training images", f"{sum(first.classes.train_images):,}"),
    ]


def _with_links(section: Section, dataset: BoardDataset) -> Section:
    """Returns the section of the leaderboard with links and authors; others as they are."""
    blocks = [
        _linked(block, dataset)
        if isinstance(block, Table) and block.name == "leaderboard"
        else block
        for block in section.blocks
    ]
    return replace(section, blocks=blocks)


def _linked(table: Table, dataset: BoardDataset) -> SectionBlock:
    """Returns the leaderboard's table with a link in each measured row, and a column of authors.

    Args:
        table: Table with the rows of each ranking: measured ones, then published ones.
        dataset: Data set with the same rows.
    """
    addresses: list[str | None] = []
    authors: list[str] = []
    for each in dataset.rankings:
        addresses += [f"{entry.page}.html" for entry in each.entries]
        addresses += [None] * len(each.published)
        authors += [f"measured by {entry.measured_by}" for entry in each.entries]
        authors += ["published"] * len(each.published)
    at = [column.title for column in table.columns].index(_NAME_COLUMN)
    rows: list[tuple[CellValue, ...]] = []
    for row, address, author in zip(table.rows, addresses, authors, strict=True):
        name = row[at] if address is None else Link(str(row[at]), address)
        rows.append((*row[:at], name, *row[at + 1 :], author))
    by = Column(
        BY_COLUMN, "who measured it; published results are numbers of papers", filtered=True
    )
    return replace(table, columns=[*table.columns, by], rows=rows)


def _commands_section(dataset: BoardDataset) -> Section:
    """Returns the section with the command of the first seed of each entry."""
    lines = [entry.runs[0].command.line for entry in dataset.entries]
    return Section(
        "commands",
        "Commands",
        paragraphs=[
            "The first seed of each entry, in the order of the leaderboard. The page of an entry "
            "has the command of every seed, its environment and its settings."
        ],
        blocks=[Listing("Commands of the entries", "\n".join(dict.fromkeys(lines)))],
    )
