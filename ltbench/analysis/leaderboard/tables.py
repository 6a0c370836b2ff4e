"""Tables of rankings for readers: terminal, Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ltbench.analysis.columns import frame_of
from ltbench.analysis.leaderboard.diagnosis_columns import DIAGNOSIS_NAMES, diagnosis_frame
from ltbench.analysis.leaderboard.display_columns import (
    DEFAULT_COLUMNS,
    PAPER_COLUMNS,
    DisplayColumn,
    Spread,
    display_columns,
)
from ltbench.analysis.leaderboard.display_columns import p_column_head as p_column_head
from ltbench.analysis.leaderboard.display_columns import (
    supports_usual_claim as supports_usual_claim,
)
from ltbench.analysis.leaderboard.ranking import Ranking, shared_settings
from ltbench.analysis.leaderboard.rows import COLUMNS, Row, ranking_rows
from ltbench.analysis.leaderboard.significance import CLAIM_METHODS
from ltbench.config.minimal_settings import as_line
from ltbench.io.latex import LatexTable, latex_tables
from ltbench.io.tables import markdown_table
from ltbench.io.text import markdown_text
from ltbench.metric_names import ACCURACIES


@dataclass(frozen=True, eq=False)
class DisplayTable:
    """Table of a ranking as text.

    Args:
        title: Conditions that the rows share.
        columns: Columns of (R,) texts.
        is_best: (R,) whether a row was tested and is not significantly worse than the best.
        highest: Accuracy -> rows with the highest mean of the measured rows.
        tied: Accuracy -> rows that are not significantly worse than the best tested row; those of
            `highest` are left out. Only accuracies that `rank_cells` marked.
        footnotes: Sentences below the table.
        ranking: The ranking.
    """

    title: str
    columns: tuple[DisplayColumn, ...]
    is_best: tuple[bool, ...]
    highest: Mapping[str, frozenset[int]]
    tied: Mapping[str, frozenset[int]]
    footnotes: tuple[str, ...]
    ranking: Ranking

    @property
    def texts(self) -> pd.DataFrame:
        """Texts with the deviations and intervals that follow them, by the heads of columns."""
        return pd.DataFrame(
            {
                column.head: [
                    text + spread if text else ""
                    for text, spread in zip(column.texts, column.spreads, strict=True)
                ]
                for column in self.columns
            }
        )

    @property
    def text_heads(self) -> list[str]:
        """Heads of columns with texts; the others have numbers."""
        return [column.head for column in self.columns if column.is_text]


def display_table(
    ranking: Ranking,
    published: Sequence[Row] = (),
    *,
    columns: Sequence[str] | None = None,
    spread: Spread | None = None,
    paper: bool = False,
) -> DisplayTable:
    """Returns the table of a ranking, followed by published rows, which have no rank.

    Args:
        ranking: Cells under the same conditions.
        published: Results of papers.
        columns: Names of the columns, from `read_columns`; None for those that say something.
        spread: Numbers after each accuracy; None for the usual: in a table for a paper the
            deviation of each accuracy, else those of overall accuracy and of the ranked one.
        paper: Whether the table is for a paper: with its columns where none are chosen.
    """
    rows = [*ranking_rows(ranking), *published]
    frame = frame_of(rows, COLUMNS, rounded=False)
    if not set(columns or ()).isdisjoint(DIAGNOSIS_NAMES):
        frame = frame.join(diagnosis_frame(ranking, len(published)))
    names = [entry.name for entry in ranking.entries] + [f"{row.method} *" for row in published]
    shown = display_columns(
        frame,
        names,
        columns or (_paper_columns(ranking) if paper else DEFAULT_COLUMNS),
        metric=ranking.metric,
        spread=spread or ("std" if paper else None),
        every=columns is not None,
    )
    sources = [f"{row.method}: {row.source}" for row in published]
    highest = {name: _highest_rows(ranking, name) for name in ACCURACIES}
    return DisplayTable(
        title=ranking_title(ranking),
        columns=tuple(shown),
        is_best=tuple(row.rank == 1 and row.claim == CLAIM_METHODS for row in rows),
        highest=highest,
        tied={name: _tied_rows(ranking, name) - highest[name] for name in ACCURACIES},
        footnotes=(
            *_rank_note(shown, ranking),
            *_spread_notes(shown, ranking.level),
            *_shared_settings_note(ranking),
            *(f"{note}." for note in ranking.notes),
            *(f"* {source}" for source in dict.fromkeys(sources)),
        ),
        ranking=ranking,
    )


def _paper_columns(ranking: Ranking) -> list[str]:
    """Returns the usual columns of a table for a paper; a common number of seeds is in a note."""
    omitted = "seeds" if _common_seeds(ranking) else None
    return [name for name in PAPER_COLUMNS if name != omitted]


def _common_seeds(ranking: Ranking) -> int | None:
    """Returns the number of seeds, if it is the same for all rows whose seed matters."""
    counts = {len(entry.cell.runs) for entry in ranking.entries if not entry.cell.seedless}
    return counts.pop() if len(counts) == 1 else None


def _highest_rows(ranking: Ranking, metric: str) -> frozenset[int]:
    """Returns the rows with the highest mean; several only where these are equal."""
    means = [entry.cell.mean(metric) for entry in ranking.entries]
    best = max((mean for mean in means if mean is not None), default=None)
    return frozenset(n for n, mean in enumerate(means) if mean is not None and mean == best)


def _tied_rows(ranking: Ranking, metric: str) -> frozenset[int]:
    return frozenset(n for n, entry in enumerate(ranking.entries) if metric in entry.not_worse)


def _rank_note(columns: Sequence[DisplayColumn], ranking: Ranking) -> Iterator[str]:
    """Yields a sentence about ranks, if the columns have them."""
    if any(column.name == "rank" for column in columns):
        yield (
            f"Ranked by {ACCURACIES[ranking.metric]} accuracy; methods that share a rank do not "
            f"differ significantly ({100 * ranking.level:g} % for all pairs together, max-T)."
        )


def _spread_notes(columns: Sequence[DisplayColumn], level: float) -> Iterator[str]:
    """Yields a sentence about deviations and intervals, if the columns have any."""
    texts = [text for column in columns for text in column.spreads]
    has_intervals = any("[" in text for text in texts) or any(c.head == "interval" for c in columns)
    parts = []
    if any("±" in text for text in texts):
        parts.append("± is the standard deviation over seeds")
    if has_intervals:
        parts.append(f"intervals ({100 * level:g} %) are over seeds and test images")
    if parts:
        text = "; ".join(parts)
        yield f"{text[0].upper()}{text[1:]}."


def _shared_settings_note(ranking: Ranking) -> Iterator[str]:
    """Yields a sentence with the unusual settings that all rows share, if any."""
    common = shared_settings([entry.settings for entry in ranking.entries])
    shown = {k: v for k, v in common.items() if k.partition(".")[0] not in ("dataset", "method")}
    if shown:
        yield f"All: {as_line(shown)}."


def ranking_title(ranking: Ranking) -> str:
    """Returns the conditions that the rows of a ranking share, as a title."""
    common = ranking.conditions
    epoch = "last epoch" if common.selection == "last" else f"epoch selected on {common.selection}"
    return f"{common.dataset}: inference {common.inference}, {epoch}, shot rule {common.shot_rule}"


def to_markdown(tables: Sequence[DisplayTable]) -> str:
    """Returns tables in GitHub's Markdown."""
    return "\n".join(_markdown_section(table) for table in tables)


def _markdown_section(table: DisplayTable) -> str:
    lines = [
        f"### {markdown_text(table.title)}",
        "",
        markdown_table(table.texts, table.text_heads),
        "",
        *(f"{markdown_text(text)}  " for text in table.footnotes),
        "",
    ]
    return "\n".join(lines)


def to_latex(tables: Sequence[DisplayTable]) -> str:
    """Returns tables for LaTeX: booktabs, with notes below (threeparttable).

    In each column of an accuracy, the highest mean is bold, and the means of the rows that are not
    significantly worse are underlined.
    """
    return latex_tables([_latex_table(table) for table in tables])


def _latex_table(table: DisplayTable) -> LatexTable:
    shown = {column.name: column for column in table.columns}
    bold = [(n, c.head) for name, c in shown.items() for n in table.highest.get(name, ())]
    tied = [(n, c.head) for name, c in shown.items() for n in table.tied.get(name, ())]
    conditions = table.ranking.conditions
    ranked = [] if "rank" in shown else [f"Ranked by {ACCURACIES[table.ranking.metric]} accuracy."]
    notes = [*table.footnotes, *_mark_notes(table, bool(bold), bool(tied))]
    _, _, common = table.title.partition(": ")
    count = _common_seeds(table.ranking)
    seeds = f"{count} seeds" if count and count > 1 else "one seed" if count else "seeds"
    if count != 1 and any(entry.cell.seedless for entry in table.ranking.entries):
        seeds += " (one run where no seed changes the result)"
    return LatexTable(
        texts=pd.DataFrame({column.head: column.texts for column in table.columns}),
        left=table.text_heads,
        caption=f"Accuracy on {conditions.dataset} in %.",
        label=f"{conditions.dataset} {conditions.inference}",
        notes=[f"Means over {seeds}; {common}.", *ranked, *notes],
        bold=bold,
        underlined=tied,
        small={column.head: [text.strip() for text in column.spreads] for column in table.columns},
    )


def _mark_notes(table: DisplayTable, has_bold: bool, has_tied: bool) -> Iterator[str]:
    if has_bold:
        yield "Bold: the highest mean of the column."
    if has_tied:
        yield (
            "Underlined: a statistical tie, not significantly worse than the best row that was "
            f"tested (p of {1 - table.ranking.level:.3g} or more, corrected for all pairs of rows "
            "in the column, max-T)."
        )
