"""Makes a report of stored runs: a page, the figures on it, a table for papers, the rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ltbench import __version__
from ltbench.analysis.leaderboard.board import Leaderboard
from ltbench.analysis.leaderboard.files import to_csv
from ltbench.analysis.leaderboard.tables import display_table, to_latex
from ltbench.report.page.content import Page, Section
from ltbench.report.page.figure_set import FigureSet
from ltbench.report.page.render import render_page
from ltbench.report.sections.across_datasets import across_datasets_section
from ltbench.report.sections.evidence import gather_evidence
from ltbench.report.sections.leaderboard import leaderboard_section
from ltbench.report.sections.provenance import provenance_section
from ltbench.report.sections.ranking import ranking_section
from ltbench.storage.files import write_atomically
from ltbench.storage.results import Found

_MAX_LISTED_NAMES = 8  # of many names, their number is enough


@dataclass(frozen=True)
class Report:
    """A report that is not written yet.

    Args:
        page: What it shows.
        figures: Its figures.
        csv: Text of the leaderboard's file.
        latex: Text of the tables' file.
    """

    page: Page
    figures: FigureSet
    csv: str
    latex: str

    def write(self, out: Path) -> None:
        """Writes `figures/`, `leaderboard.csv`, `tables.tex`, and last `index.html`.

        Raises:
            RunError: A file cannot be written.
        """
        texts = {
            "leaderboard.csv": self.csv,
            "tables.tex": self.latex,
            "index.html": render_page(self.page),
        }
        encoded = {name: text.encode() for name, text in texts.items()}
        self.figures.save(out / "figures")
        for name, content in encoded.items():
            write_atomically(out / name, content)


def build_report(
    found: Found,
    board: Leaderboard,
    *,
    title: str | None = None,
    advance: Callable[[], object] = lambda: None,
) -> Report:
    """Makes a report.

    Args:
        found: The runs.
        board: Their leaderboard.
        title: Of the page; the data sets where not given.
        advance: Called once for each method that is drawn, to show how far it is.
    """
    figures = FigureSet()
    metric, level = board.rankings[0].metric, board.rankings[0].level
    metrics = tuple(dict.fromkeys((metric, "few")))
    sections: list[Section] = [leaderboard_section(board)]
    taken: set[str] = set()
    for ranking in board.rankings:
        evidence = gather_evidence(ranking, metrics, advance)
        about = ranking.conditions
        name = _unique_name(f"{about.dataset} {about.inference}", taken)
        sections.append(ranking_section(ranking, evidence, name, metrics, figures))
    cells = found.cells()
    datasets = dict.fromkeys(ranking.conditions.dataset for ranking in board.rankings)
    methods = dict.fromkeys(cell.spec.method.name for cell in cells)
    if len(datasets) > 1:
        sections.append(across_datasets_section(cells, metric, level, figures))
    runs = [run for cell in cells for run in cell.runs]
    sections.append(provenance_section(runs, found.skipped))
    page = Page(
        title=title or f"Methods on {_list_names(datasets, 'data sets')}",
        lead=f"{_list_names(methods, 'methods')} on {_list_names(datasets, 'data sets')}: accuracies and "
        "how sure they are, from the stored predictions.",
        facts=[
            ("runs", f"{len(found.runs):,}"),
            ("combinations", f"{len(cells):,}"),
            ("data sets", f"{len(datasets):,}"),
            ("skipped folders", f"{len(found.skipped):,}"),
        ],
        sections=sections,
        made_with=f"ltbench {__version__}",
    )
    tables = [display_table(each, board.published_beside(each)) for each in board.rankings]
    return Report(page, figures, to_csv(board.rows()), to_latex(tables))


def _unique_name(text: str, taken: set[str]) -> str:
    """A name in snake_case that nothing else has."""
    name = base = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    number = 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    taken.add(name)
    return name


def _list_names(names: Iterable[str], what: str) -> str:
    """Names in words; of many, their number."""
    each = list(names)
    if len(each) > _MAX_LISTED_NAMES:
        return f"{len(each)} {what}"
    return each[0] if len(each) == 1 else f"{', '.join(each[:-1])} and {each[-1]}"
