"""Output of `ltbench diagnose`: findings and tables, or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from ltbench.analysis.diagnosis.diagnosis_tables import diagnosis_tables
from ltbench.cli.table_output import fitted_table
from ltbench.io.console import console, print_paragraph
from ltbench.io.text import line_text

if TYPE_CHECKING:
    from ltbench.analysis.diagnosis.method_diagnosis import MethodDiagnosis

SCHEMA = 1


def print_diagnoses(methods: Sequence[MethodDiagnosis]) -> None:
    """Prints for each method the findings and tables, then the differences between methods."""
    out = console()
    for table in diagnosis_tables(methods):
        out.print()
        print_paragraph(out, escape(line_text(table.caption)))
        out.print(fitted_table(table))


def diagnoses_json(methods: Sequence[MethodDiagnosis]) -> dict[str, Any]:
    """Returns diagnoses as a JSON object, with the stored content of each run."""
    return {"schema": SCHEMA, "methods": [m.name for m in methods]}
