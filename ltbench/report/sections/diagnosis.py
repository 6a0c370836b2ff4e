"""Section of a report about features: why a method fails on rare classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ltbench.analysis.diagnosis.diagnosis_tables import diagnosis_tables
from ltbench.analysis.diagnosis.method_diagnosis import (
    MethodDiagnosis,
    backbone_notes,
    paired_with_first,
)
from ltbench.analysis.diagnosis.paired_diagnoses import PairedDiagnoses
from ltbench.analysis.leaderboard.ranking import Ranking
from ltbench.errors import ConfigError, DataError
from ltbench.report.page.content import Answer, Notes, Section, SectionBlock
from ltbench.report.page.figure_set import FigureSet
from ltbench.report.sections.diagnosis_figures import diagnosis_figures
from ltbench.report.sections.errors import analysis_table
from ltbench.report.sections.evidence import MAX_SHOWN_METHODS
from ltbench.storage.diagnosis_schema import Diagnosis, read_diagnosis
from ltbench.storage.result_schema import RunResult

HEADING = "Why: features of training and test images"
_FOLDED = ("intra_class", "similarity")
_MAX_LISTED = 5


def ranking_diagnosis(ranking: Ranking, name: str, figures: FigureSet) -> Section | None:
    """Returns the section of a ranking, from the diagnoses that its runs have stored.

    Args:
        ranking: Ranking of the cells.
        name: Name in snake_case, unique in the report; prefix of the blocks and the anchor.
        figures: Collection that figures are added to.

    Returns:
        Section about the best methods with a stored diagnosis; None where no run has one.
    """
    methods: list[MethodDiagnosis] = []
    missing: list[Path] = []
    notes: list[str] = []
    for entry in ranking.entries[:MAX_SHOWN_METHODS]:
        known: list[tuple[RunResult, Diagnosis]] = []
        for run in entry.cell.runs:
            try:
                found = read_diagnosis(run)
            except DataError as error:
                notes.append(f"{entry.name}, seed {run.seed}: {error.message}.")
                continue
            if found is None:
                missing.append(run.path)
            else:
                known.append((run, found))
        if known:
            runs, diagnoses = zip(*known, strict=True)
            methods.append(MethodDiagnosis(entry.name, runs, diagnoses, entry.cell.seedless))
    if not methods:
        return None
    pairs, unpaired = _pairs_with_best(methods)
    notes += unpaired
    if missing:
        notes.append(
            f"{_runs(len(missing))} no stored diagnosis: {_listed(missing)}. ltbench diagnose RUN "
            "computes and stores it."
        )
    return diagnosis_section(methods, pairs, f"{name}_diagnosis", figures, notes)


def diagnosis_section(
    methods: Sequence[MethodDiagnosis],
    pairs: Sequence[PairedDiagnoses],
    name: str,
    figures: FigureSet,
    notes: Sequence[str] = (),
) -> Section:
    """Returns the section of some methods; its notes are the last block.

    Args:
        methods: Methods on the same classes.
        pairs: Differences of the other methods to the first; of one method the findings are shown.
        name: Name in snake_case, unique on the page; prefix of the blocks and the anchor.
        figures: Collection that figures are added to.
        notes: Further notes.
    """
    blocks: list[SectionBlock] = [*diagnosis_figures(methods, name, figures)]
    blocks += [
        analysis_table(table, name, folded=table.name in _FOLDED)
        for table in diagnosis_tables(methods)
    ]
    own = [note for method in methods for note in method.findings.notes]
    every = dict.fromkeys([*own, *backbone_notes(methods), *notes])
    blocks.append(Notes("Notes", list(every)))
    told = [pair.sentences for pair in pairs] or [methods[0].findings.sentences]
    headline, *detail = told[0]
    return Section(
        name.replace("_", "-"),
        HEADING,
        answer=Answer(headline, " ".join(detail)),
        findings=[sentence for sentences in told[1:] for sentence in sentences],
        blocks=blocks,
    )


def _pairs_with_best(
    methods: Sequence[MethodDiagnosis],
) -> tuple[list[PairedDiagnoses], list[str]]:
    """Returns the differences of each method to the first, and sentences about those without."""
    pairs: list[PairedDiagnoses] = []
    unpaired = []
    for other in methods[1:]:
        try:
            pairs += paired_with_first([methods[0], other])
        except ConfigError as error:
            unpaired.append(f"{error.message}.")
    return pairs, unpaired


def _runs(count: int) -> str:
    return "1 run of these methods has" if count == 1 else f"{count:,} runs of these methods have"


def _listed(paths: Sequence[Path]) -> str:
    more = f" and {len(paths) - _MAX_LISTED:,} more" if len(paths) > _MAX_LISTED else ""
    return ", ".join(map(str, paths[:_MAX_LISTED])) + more
