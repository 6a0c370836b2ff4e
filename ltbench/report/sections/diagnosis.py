"""Section of a report about features: why a method fails on rare classes."""

from __future__ import annotations

from collections.abc import Sequence

from ltbench.analysis.diagnosis.diagnosis_tables import diagnosis_tables
from ltbench.analysis.diagnosis.method_diagnosis import MethodDiagnosis
from ltbench.analysis.leaderboard.ranking import Ranking
from ltbench.errors import DataError
from ltbench.report.page.content import Answer, Notes, Section, SectionBlock
from ltbench.report.page.figure_set import FigureSet
from ltbench.report.sections.diagnosis_figures import diagnosis_figures
from ltbench.report.sections.errors import analysis_table
from ltbench.report.sections.evidence import MAX_SHOWN_METHODS
from ltbench.storage.diagnosis_schema import Diagnosis, read_diagnosis
from ltbench.storage.result_schema import RunResult

HEADING = "Why: features of training and test images"
_FOLDED = ("intra_class", "similarity")


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
    missing: list[RunResult] = []
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
                missing.append(run)
            else:
                known.append((run, found))
        if known:
            runs, diagnoses = zip(*known, strict=True)
            methods.append(MethodDiagnosis(entry.name, runs, diagnoses))
    if not methods:
        return None
    if missing:
        listed = " ".join(str(run.path) for run in missing)
        notes.append(
            f"{len(missing):,} runs of these methods have no diagnosis. To compute them, call for "
            f"each: ltbench diagnose RUN; RUN is one of {listed}."
        )
    return diagnosis_section(methods, f"{name}_diagnosis", figures, notes)


def diagnosis_section(
    methods: Sequence[MethodDiagnosis], name: str, figures: FigureSet, notes: Sequence[str] = ()
) -> Section:
    """Returns the section of some methods; its notes are the last block.

    Args:
        methods: Methods on the same classes, the best first.
        name: Name in snake_case, unique on the page; prefix of the blocks and the anchor.
        figures: Collection that figures are added to.
        notes: Further notes.
    """
    blocks: list[SectionBlock] = [*diagnosis_figures(methods, name, figures)]
    blocks += [
        analysis_table(table, name, folded=table.name in _FOLDED)
        for table in diagnosis_tables(methods)
    ]
    headline, *detail = methods[0].findings.sentences
    blocks.append(Notes("Notes", notes))
    return Section(
        name.replace("_", "-"),
        HEADING,
        answer=Answer(headline, " ".join(detail)),
        blocks=blocks,
    )
