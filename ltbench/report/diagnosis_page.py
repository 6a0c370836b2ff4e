"""Page of `ltbench diagnose --html`: findings, figures and tables of some methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ltbench import __version__
from ltbench.analysis.diagnosis.method_diagnosis import MethodDiagnosis
from ltbench.analysis.diagnosis.paired_diagnoses import PairedDiagnoses
from ltbench.report.figures.looks import MethodLooks
from ltbench.report.page.content import Page
from ltbench.report.page.figure_set import FigureSet
from ltbench.report.page.render import render_page
from ltbench.report.sections.diagnosis import diagnosis_section
from ltbench.storage.files import make_folder, write_atomically


def write_diagnosis_page(
    methods: Sequence[MethodDiagnosis], pairs: Sequence[PairedDiagnoses], path: Path
) -> int:
    """Writes the page of some methods: one HTML file that loads nothing.

    Args:
        methods: Methods on the same classes.
        pairs: Differences of the other methods to the first.
        path: File to write.

    Returns:
        Number of figures.

    Raises:
        RunError: It cannot be written.
    """
    figures = FigureSet(MethodLooks.of(one.name for one in methods))
    page = diagnosis_page(methods, pairs, figures)
    make_folder(path.parent)
    write_atomically(path, render_page(page).encode())
    return len(figures)


def diagnosis_page(
    methods: Sequence[MethodDiagnosis], pairs: Sequence[PairedDiagnoses], figures: FigureSet
) -> Page:
    """Returns the page of some methods.

    Args:
        methods: Methods on the same classes.
        pairs: Differences of the other methods to the first.
        figures: Collection that figures are added to.
    """
    section = diagnosis_section(methods, pairs, "diagnosis", figures)
    assert section.answer is not None
    spec = methods[0].runs[0].spec
    first = methods[0].first
    return Page(
        title=f"Features of {spec.dataset.title} with {spec.backbone.name}",
        answer=section.answer,
        facts=[
            ("methods", f"{len(methods)}"),
            ("split", first.split),
            ("classes", f"{first.num_classes:,}"),
            ("views", first.views),
        ],
        sections=[replace(section, answer=None)],  # the page begins with it
        made_with=f"ltbench {__version__}",
    )
