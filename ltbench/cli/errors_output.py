"""Output of `ltbench errors`: findings and tables, or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from ltbench.analysis.errors.display_tables import display_tables
from ltbench.cli.table_output import fitted_table, records
from ltbench.io.console import console, print_paragraph
from ltbench.io.text import line_text

if TYPE_CHECKING:
    from ltbench.analysis.errors.error_analysis import ErrorAnalysis
    from ltbench.storage.result_schema import RunResult

MAX_ROWS = 10
"""Classes and confusions that the terminal shows; --json has all."""
_FRAMES = ("groups", "classes", "confusions", "mistakes", "reliability")


def print_analysis(analysis: ErrorAnalysis) -> None:
    """Prints the findings, then the tables, then what is unknown."""
    out = console()
    where = f"{analysis.inference}, {analysis.split} split"
    out.print(f"\n[bold]{escape(line_text(analysis.title))}[/] ({escape(where)})", soft_wrap=True)
    for sentence in analysis.sentences:
        print_paragraph(out, f"- {escape(line_text(sentence))}")
    for table in display_tables(analysis, MAX_ROWS):
        out.print()
        print_paragraph(out, escape(line_text(table.caption)))
        out.print(fitted_table(table))
    for note in analysis.notes:
        print_paragraph(out, f"[yellow]note[/] {escape(line_text(note))}")


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
        **{name: records(getattr(analysis, name)) for name in _FRAMES},
    }
