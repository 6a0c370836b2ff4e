"""Output of `ltbench diagnose`: findings and tables, or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from ltbench.analysis.diagnosis.diagnosis_tables import diagnosis_tables
from ltbench.analysis.diagnosis.method_diagnosis import backbone_notes
from ltbench.cli.table_output import fitted_table, records
from ltbench.io.console import console, print_paragraph
from ltbench.io.text import line_text

if TYPE_CHECKING:
    from ltbench.analysis.diagnosis.method_diagnosis import MethodDiagnosis
    from ltbench.analysis.diagnosis.paired_diagnoses import PairedDiagnoses

SCHEMA = 1
_OPTIONAL = ("KS", "mean shift", "classes", "training, itself included")
_FRAMES = ("groups", "measures", "classes", "similarity")


def print_diagnoses(methods: Sequence[MethodDiagnosis], pairs: Sequence[PairedDiagnoses]) -> None:
    """Prints the findings, then the tables, then what is unknown.

    Args:
        methods: Methods on the same classes.
        pairs: Differences of the other methods to the first.
    """
    out = console()
    for pair in pairs:
        title = f"{pair.first} against {pair.second}"
        out.print(f"\n[bold]{escape(line_text(title))}[/]", soft_wrap=True)
        for sentence in pair.sentences:
            print_paragraph(out, f"- {escape(line_text(sentence))}")
    for method in methods:
        found = method.findings
        out.print(f"\n[bold]{escape(line_text(found.title))}[/]", soft_wrap=True)
        for sentence in found.sentences if len(methods) == 1 else found.sentences[:1]:
            print_paragraph(out, f"- {escape(line_text(sentence))}")
    for table in diagnosis_tables(methods):
        out.print()
        print_paragraph(out, escape(line_text(table.caption)))
        out.print(fitted_table(table, _OPTIONAL, "--html and --json show them"))
    own = (note for method in methods for note in method.findings.notes)
    for note in dict.fromkeys([*own, *backbone_notes(methods)]):
        print_paragraph(out, f"[yellow]note[/] {escape(line_text(note))}")


def diagnoses_json(
    methods: Sequence[MethodDiagnosis], pairs: Sequence[PairedDiagnoses]
) -> dict[str, Any]:
    """Returns diagnoses as a JSON object, with all rows of their tables.

    Args:
        methods: Methods on the same classes.
        pairs: Differences of the other methods to the first.
    """
    return {
        "schema": SCHEMA,
        "methods": [_method_json(method) for method in methods],
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "seeds": pair.seeds,
                "findings": list(pair.sentences),
                "differences": records(pair.differences),
            }
            for pair in pairs
        ],
        "notes": backbone_notes(methods),
    }


def _method_json(method: MethodDiagnosis) -> dict[str, Any]:
    found = method.findings
    return {
        "name": method.name,
        "title": found.title,
        "encoder": found.encoder,
        "runs": [str(run.path) for run in method.runs],
        "hashes": [run.hash for run in method.runs],
        "seeds": [run.seed for run in method.runs],
        "rare_group": found.rare_group,
        "findings": list(found.sentences),
        "notes": list(found.notes),
        **{name: records(getattr(found, name)) for name in _FRAMES},
        "heatmap": method.first.similarity.heatmap.model_dump(),
        "histograms": method.first.histograms.model_dump(),
    }
