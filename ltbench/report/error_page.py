"""Page of `ltbench errors --html`: findings, tables and pictures of one run."""

from __future__ import annotations

from pathlib import Path

from ltbench import __version__
from ltbench.analysis.errors.error_analysis import ErrorAnalysis
from ltbench.errors import ConfigError
from ltbench.io.files import create_file
from ltbench.io.interrupts import cleaned_up
from ltbench.report.page.content import Page
from ltbench.report.page.render import render_page
from ltbench.report.sections.errors import analysis_section
from ltbench.storage.files import make_folder, writing


def error_page(analysis: ErrorAnalysis) -> str:
    """Returns the page of an analysis as one HTML file that loads nothing.

    Args:
        analysis: Analysis of a run, with or without pictures.
    """
    section = analysis_section(analysis, "errors")
    page = Page(
        title=f"Errors of {analysis.title}",
        lead="Which rare classes fail, and as what: from the stored predictions.",
        facts=[
            ("split", analysis.split),
            ("inference", analysis.inference),
            ("classes", f"{len(analysis.classes):,}"),
            ("wrong images", f"{len(analysis.mistakes):,}"),
        ],
        sections=[section],
        made_with=f"ltbench {__version__}",
    )
    return render_page(page)
