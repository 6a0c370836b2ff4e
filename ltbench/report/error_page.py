"""Page of `ltbench errors --html`: findings, tables and pictures of one run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ltbench import __version__
from ltbench.analysis.errors.error_analysis import ErrorAnalysis
from ltbench.report.page.content import Page
from ltbench.report.page.render import render_page
from ltbench.report.sections.errors import analysis_section
from ltbench.storage.files import make_folder, write_atomically

MAX_ROWS = 100
"""Classes and confusions of the page; `ltbench errors RUN --json` has all."""


def write_error_page(analysis: ErrorAnalysis, path: Path) -> None:
    """Writes the page of an analysis: one HTML file that loads nothing.

    Args:
        analysis: Analysis of a run, with or without pictures.
        path: File to write.

    Raises:
        RunError: It cannot be written.
    """
    make_folder(path.parent)
    write_atomically(path, render_page(error_page(analysis)).encode())


def error_page(analysis: ErrorAnalysis) -> Page:
    """Returns the page of an analysis.

    Args:
        analysis: Analysis of a run, with or without pictures.
    """
    section = analysis_section(analysis, "errors", MAX_ROWS)
    assert section.answer is not None
    return Page(
        title=f"Errors of {analysis.title}",
        answer=section.answer,
        facts=[
            ("split", analysis.split),
            ("inference", analysis.inference),
            ("classes", f"{len(analysis.classes):,}"),
            ("wrong images", f"{len(analysis.mistakes):,}"),
        ],
        sections=[replace(section, answer=None)],  # the page begins with it
        made_with=f"ltbench {__version__}",
    )
