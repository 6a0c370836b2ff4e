"""Output of `ltbench errors`: findings and tables, or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from ltbench.analysis.errors.display_tables import ErrorTable, display_tables
from ltbench.io.console import console
from ltbench.io.text import line_text

if TYPE_CHECKING:
    import pandas as pd

    from ltbench.analysis.errors.error_analysis import ErrorAnalysis
    from ltbench.storage.result_schema import RunResult

MAX_ROWS = 10
"""Classes and confusions that the terminal shows; --json has all."""
_MAX_WORD = 20  # longer ones are folded where the terminal is narrow
_FRAMES = ("groups", "classes", "confusions", "mistakes", "reliability")


def print_analysis(analysis: ErrorAnalysis) -> None:
    """Prints the findings, then the tables, then what is unknown."""
    out = console()
    where = f"{analysis.inference}, {analysis.split} split"
    out.print(f"\n[bold]{escape(line_text(analysis.title))}[/] ({escape(where)})", soft_wrap=True)
    for sentence in analysis.sentences:
        out.print(f"- {escape(line_text(sentence))}")
    for table in display_tables(analysis, MAX_ROWS):
        out.print(f"\n{escape(line_text(table.caption))}")
        out.print(_rich_table(table))
    for note in analysis.notes:
        out.print(f"[yellow]note[/] {escape(line_text(note))}", soft_wrap=True)


def analysis_json(analysis: ErrorAnalysis, run: RunResult) -> dict[str, Any]:
    """Returns an analysis as a JSON object, with all rows of its tables.

    Args:
        analysis: Analysis of a run.
        run: The run.
    """
    return {
        "run": str(run.path),
        "hash": run.hash,
        "inference": analysis.inference,
        "split": analysis.split,
        "rare_group": analysis.rare_group,
        "findings": list(analysis.sentences),
        "notes": list(analysis.notes),
        **{name: _records(getattr(analysis, name)) for name in _FRAMES},
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Returns the rows of a data frame; unknown values are None."""
    known = frame.astype(object).where(frame.notna(), None)
    rows: list[dict[str, Any]] = known.to_dict("records")
    return rows


def _rich_table(shown: ErrorTable) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    rows = [[line_text(text) for text in row] for row in shown.texts()]
    for place, column in enumerate(shown.columns):
        words = [word for row in rows for word in row[place].split()]
        table.add_column(
            column.title,
            justify="left" if column.decimals is None else "right",
            no_wrap=column.decimals is not None,
            overflow="fold",
            min_width=min(max(map(len, words)), _MAX_WORD),
        )
    for row in rows:
        table.add_row(*map(escape, row))
    return table
