"""Page of a data set: the report of its runs, with links to the pages of the entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from ltbench.analysis.leaderboard.board import Leaderboard
from ltbench.board.entries import BoardDataset, RankedEntries
from ltbench.report.build import LEADERBOARD_SUFFIX, build_report
from ltbench.report.page.content import (
    Beside,
    CellValue,
    Column,
    Link,
    Listing,
    Page,
    Section,
    SectionBlock,
    ShortName,
    Table,
)
from ltbench.storage.results import Found

BY_COLUMN = "by"


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
    own_rankings = iter(dataset.rankings)
    sections = [
        _with_links(section, own_rankings)
        for section in report.page.sections
        if section.name != "provenance"  # its commands are texts of the authors
    ]
    people = {each.name for entry in dataset.entries for each in entry.contributors}
    page = replace(
        report.page,
        facts=[
            ("entries", f"{len(dataset.entries):,}"),
            ("published", f"{len(dataset.published):,}"),
            ("runs", f"{len(runs):,}"),
            ("contributors", f"{len(people):,}"),
            ("classes", f"{len(runs[0].classes.names):,}"),
            ("training images", f"{sum(runs[0].classes.train_images):,}"),
        ],
        sections=[*sections, _commands_section(dataset)],
        links=[Link("All data sets", "../index.html")],
    )
    files = {f"figures/{name}": content for name, content in report.figures.files().items()}
    files |= {"leaderboard.csv": report.csv.encode(), "tables.tex": report.latex.encode()}
    return DatasetPage(page, files)


def _with_links(section: Section, rankings: Iterator[RankedEntries]) -> Section:
    """Returns a section in which the leaderboard of each ranking has links and authors.

    Args:
        section: Section of a report, with its subsections.
        rankings: Rankings whose leaderboards follow, in the order of the report.
    """
    return replace(
        section,
        blocks=[_with_linked_table(block, rankings) for block in section.blocks],
        sections=[_with_links(each, rankings) for each in section.sections],
    )


def _with_linked_table(block: SectionBlock, rankings: Iterator[RankedEntries]) -> SectionBlock:
    if isinstance(block, Beside):
        table = _with_linked_table(block.table, rankings)
        return replace(block, table=table) if isinstance(table, Table) else block
    if isinstance(block, Table) and block.name.endswith(LEADERBOARD_SUFFIX):
        return _linked(block, next(rankings))
    return block


def _linked(table: Table, ranked: RankedEntries) -> Table:
    """Returns a leaderboard with a link in each measured row, and a column of authors.

    Args:
        table: Table with the measured rows of a ranking, then the published ones.
        ranked: The same rows.
    """
    entries = [*ranked.entries, *(None for _ in ranked.published)]
    at = table.name_column
    # Behind the columns that answer the question, before those that are shown on demand.
    place = sum(column.shown != "more" for column in table.columns)
    rows: list[tuple[CellValue, ...]] = []
    for row, entry in zip(table.rows, entries, strict=True):
        name = row[at] if entry is None else _link(row[at], f"{entry.page}.html")
        linked = [*row[:at], name, *row[at + 1 :]]
        by = "published" if entry is None else entry.folders
        rows.append((*linked[:place], by, *linked[place:]))
    by_column = Column(
        BY_COLUMN,
        "contributor who measured it; published results are of papers",
        filtered=True,
        shown="wide",
    )
    columns = [*table.columns[:place], by_column, *table.columns[place:]]
    return replace(table, columns=columns, rows=rows)


def _link(name: CellValue, address: str) -> Link:
    whole = name.whole if isinstance(name, ShortName) else ""
    return Link(name.text if isinstance(name, ShortName) else str(name), address, whole)


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
