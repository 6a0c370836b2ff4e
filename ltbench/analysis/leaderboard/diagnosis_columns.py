"""Columns of a leaderboard that come from stored diagnoses; its files have them on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ltbench.analysis.columns import column_field, frame_of
from ltbench.analysis.leaderboard.ranking import Ranking
from ltbench.storage.diagnosis_schema import Diagnosis, read_diagnosis
from ltbench.storage.results import Cell

if TYPE_CHECKING:
    import pandas as pd

_HELD = "of few-shot classes, mean over seeds; none where a run has no stored diagnosis"


@dataclass(frozen=True, kw_only=True)
class DiagnosisRow:
    """Measures of a cell's stored diagnoses; None where a seed has no value."""

    few_excess: float | None = column_field(
        "float64", f"energy distance between training and test features above its floor, {_HELD}"
    )
    few_intra_class: float | None = column_field(
        "float64", f"distance of test features to the mean of their class, {_HELD}"
    )
    class_similarity: float | None = column_field(
        "float64",
        "mean cosine between the test means of different classes, mean over seeds; none where a "
        "run has no stored diagnosis",
    )
    few_gap: float | None = column_field(
        "float64", f"training minus test accuracy in percent points, plain views, {_HELD}"
    )


DIAGNOSIS_COLUMNS = tuple(fields(DiagnosisRow))
"""Columns that a table or a CSV file has where they are named."""
DIAGNOSIS_NAMES = tuple(column.name for column in DIAGNOSIS_COLUMNS)


def diagnosis_frame(ranking: Ranking, published: int) -> pd.DataFrame:
    """Returns the columns for the rows of a ranking, in the order of the ranking.

    Args:
        ranking: Ranking of the cells.
        published: Number of published rows that follow; they have no values.

    Raises:
        DataError: A stored diagnosis is damaged.
    """
    rows = [_cell_row(entry.cell) for entry in ranking.entries]
    return frame_of([*rows, *[DiagnosisRow()] * published], DIAGNOSIS_COLUMNS, rounded=False)


def _cell_row(cell: Cell) -> DiagnosisRow:
    read = [read_diagnosis(run) for run in cell.runs]
    known = [one for one in read if one is not None]
    if len(known) < len(read):
        return DiagnosisRow()
    return DiagnosisRow(
        few_excess=_mean([_few(one, "energy_excess") for one in known]),
        few_intra_class=_mean([_few(one, "intra_test") for one in known]),
        class_similarity=_mean([one.similarity.overall for one in known]),
        few_gap=_mean([_few(one, "gap") for one in known]),
    )


def _few(diagnosis: Diagnosis, measure: str) -> float | None:
    """Returns a measure of the few-shot classes; None where it is not defined."""
    found = diagnosis.groups["few"].measures.get(measure)
    return None if found is None else found.mean


def _mean(values: Sequence[float | None]) -> float | None:
    """Returns the mean over seeds; None where a seed has no value."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
