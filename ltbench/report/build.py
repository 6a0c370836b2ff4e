"""Report of stored runs: a page, its figures, a table for papers, and the leaderboard as CSV."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ltbench import __version__
from ltbench.analysis.comparison.short_labels import ShortLabels, short_labels
from ltbench.analysis.errors.run_inputs import OpenSplit
from ltbench.analysis.leaderboard.board import Leaderboard
from ltbench.analysis.leaderboard.files import to_csv
from ltbench.analysis.leaderboard.ranking import Ranking
from ltbench.analysis.leaderboard.tables import display_table, to_latex
from ltbench.io.interrupts import deferred
from ltbench.report.figures.looks import MethodLooks
from ltbench.report.page.content import Beside, Notes, Page, Section, SectionBlock
from ltbench.report.page.figure_set import FigureSet
from ltbench.report.page.render import render_page
from ltbench.report.sections.across_datasets import across_datasets_section
from ltbench.report.sections.answer import ranking_answer
from ltbench.report.sections.diagnosis import ranking_diagnosis
from ltbench.report.sections.errors import errors_section
from ltbench.report.sections.evidence import gather_evidence
from ltbench.report.sections.leaderboard import leaderboard_table, shared_facts
from ltbench.report.sections.learned_share import learned_share_section
from ltbench.report.sections.provenance import provenance_section
from ltbench.report.sections.ranking import (
    detail_sections,
    no_claim_sentences,
    ranking_notes,
    shot_group_figure,
)
from ltbench.storage.files import make_folder, write_atomically
from ltbench.storage.results import Found

LEADERBOARD_SUFFIX = "_leaderboard"
"""End of the name of the table that has the leaderboard of a ranking."""
_MAX_LISTED_NAMES = 8  # with more, their number is given


@dataclass(frozen=True)
class Report:
    """Report in memory, ready to be written.

    Args:
        page: Content of the page.
        figures: Figures of the page.
        csv: Text of `leaderboard.csv`.
        latex: Text of `tables.tex`.
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
        files = {f"figures/{name}": content for name, content in self.figures.files().items()}
        files |= {"leaderboard.csv": self.csv.encode(), "tables.tex": self.latex.encode()}
        files["index.html"] = render_page(self.page).encode()
        with deferred():  # an interruption leaves the earlier report or this one
            make_folder(out / "figures")
            for name, content in files.items():
                write_atomically(out / name, content)


def build_report(
    found: Found,
    board: Leaderboard,
    *,
    title: str | None = None,
    advance: Callable[[], object] = lambda: None,
    open_split: OpenSplit | None = None,
) -> Report:
    """Builds a report.

    Args:
        found: Stored runs.
        board: Leaderboard of these runs.
        title: Title of the page; None for one with the names of the data sets.
        advance: Progress callback, called once per method that is compared.
        open_split: Function that opens the data set of a run, for pictures of mistakes; None for
            a report without pictures.
    """
    names = tuple(dict.fromkeys(e.name for ranking in board.rankings for e in ranking.entries))
    labels = short_labels(names)
    figures = FigureSet(MethodLooks(names, labels))
    taken, alone = set[str](), len(board.rankings) == 1
    level = board.rankings[0].level
    cells = found.cells()
    sections: list[Section] = []
    for ranking in board.rankings:
        sections += _ranking_sections(board, ranking, labels, figures, taken, advance, open_split)
    datasets = dict.fromkeys(ranking.conditions.dataset for ranking in board.rankings)
    methods = dict.fromkeys(cell.spec.method.name for cell in cells)
    if not alone:
        sections.insert(0, across_datasets_section(board.rankings, cells, level, figures))
    first, *others = sections
    assert first.answer is not None
    runs = [run for cell in cells for run in cell.runs]
    page = Page(
        title=title or f"Methods on {_list_names(datasets, 'data sets')}",
        answer=first.answer,
        facts=_page_facts(found, len(methods), len(cells), len(datasets)),
        sections=[
            replace(first, answer=None),  # the page begins with it
            *others,
            provenance_section(runs, found.skipped),
        ],
        made_with=f"ltbench {__version__}",
    )
    tables = [
        display_table(each, board.published_beside(each), paper=True) for each in board.rankings
    ]
    return Report(page, figures, to_csv(board.rows()), to_latex(tables))


def _page_facts(found: Found, methods: int, cells: int, datasets: int) -> list[tuple[str, str]]:
    """Returns the numbers of what was found; those that say nothing are left out."""
    facts = [("runs", len(found.runs)), ("methods", methods)]
    if cells != methods * datasets:
        facts.append(("combinations", cells))
    if datasets > 1:
        facts.append(("data sets", datasets))
    if found.skipped:
        facts.append(("skipped folders", len(found.skipped)))
    return [(name, f"{number:,}") for name, number in facts]


def _ranking_sections(
    board: Leaderboard,
    ranking: Ranking,
    labels: ShortLabels,
    figures: FigureSet,
    taken: set[str],
    advance: Callable[[], object],
    open_split: OpenSplit | None,
) -> list[Section]:
    """Returns the sections of a ranking: the leaderboard, and the details in it or after it."""
    metrics = tuple(dict.fromkeys((ranking.metric, "few")))
    evidence = gather_evidence(ranking, metrics, advance)
    about = ranking.conditions
    name = _unique_name(f"{about.dataset} {about.inference}", taken)
    anchor = name.replace("_", "-")
    table = leaderboard_table(
        ranking, board.published_beside(ranking), labels, f"{name}{LEADERBOARD_SUFFIX}"
    )
    blocks: list[SectionBlock] = [table]
    if evidence is not None:
        blocks = [Beside(table, shot_group_figure(ranking, evidence, name, figures))]
    blocks.append(Notes("Notes", ranking_notes(ranking, evidence)))
    leaderboard = Section(
        "leaderboard",
        "Leaderboard",
        findings=no_claim_sentences(evidence),
        blocks=blocks,
        answer=ranking_answer(ranking, evidence),
    )
    details = detail_sections(ranking, evidence, name, metrics, figures)
    if evidence is not None:
        details.insert(1, errors_section(evidence, name, open_split, figures))
    if (diagnosis := ranking_diagnosis(ranking, name, figures)) is not None:
        details.insert(2 if evidence is not None else 0, diagnosis)
    if (shares := learned_share_section(ranking, name, figures)) is not None:
        details.append(shares)
    facts = shared_facts(ranking)
    if len(board.rankings) == 1:
        return [
            leaderboard,
            Section(anchor, f"{about.dataset} in detail", facts=facts, sections=details),
        ]
    several = [each.conditions.dataset for each in board.rankings].count(about.dataset) > 1
    title = f"{about.dataset}, {about.inference}" if several else about.dataset
    named = replace(leaderboard, name=anchor, title=title, facts=facts)
    return [replace(named, sections=details, folded=True)]


def _unique_name(text: str, taken: set[str]) -> str:
    """Returns a snake_case name that is not in `taken`, and adds it."""
    name = base = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    number = 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    taken.add(name)
    return name


def _list_names(names: Iterable[str], what: str) -> str:
    """Returns names as a list in a sentence, or their number where there are many."""
    each = list(names)
    if len(each) > _MAX_LISTED_NAMES:
        return f"{len(each)} {what}"
    return each[0] if len(each) == 1 else f"{', '.join(each[:-1])} and {each[-1]}"
