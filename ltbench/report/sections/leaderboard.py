"""Section of a report with the leaderboard: one table of all rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field
from typing import Any

import pandas as pd

from ltbench.analysis.columns import frame_of
from ltbench.analysis.comparison.summary_text import format_p
from ltbench.analysis.leaderboard.board import Leaderboard
from ltbench.analysis.leaderboard.rows import COLUMNS, MEASURED, Row, ranking_rows
from ltbench.analysis.leaderboard.tables import p_column_head, supports_usual_claim
from ltbench.metric_names import ACCURACIES
from ltbench.report.page.content import CellValue, Column, Section, Table

_COLUMN_TITLES = {
    "accuracy": "overall %",
    "accuracy_std": "± over seeds",
    "accuracy_ci_low": "from %",
    "accuracy_ci_high": "to %",
    "mean_class": "mean-class %",
    "many": "many %",
    "medium": "medium %",
    "few": "few %",
    "ece": "ECE %",
    "learned_parameters": "learned",
    "learned_percent": "learned %",
    "train_seconds": "train s",
    "images_per_second": "images/s",
    "peak_memory_mb": "memory MB",
}
_DECIMALS = {
    "learned_percent": 2,
    "images_per_second": 0,
    "peak_memory_mb": 0,
    "p_value_vs_best": 3,
}
_FIRST_COLUMNS = (
    *("rank", "dataset", "backbone", "inference", "accuracy", "accuracy_std", "accuracy_ci_low"),
    *("accuracy_ci_high", "many", "medium", "few", "p_value_vs_best", "claim"),
    *("learned_percent", "ece"),
)
_OMITTED_COLUMNS = ("method", "spec")  # the first column names the method; commands are at the end


def leaderboard_section(board: Leaderboard) -> Section:
    """Returns the section of the leaderboard; choices that all rows share are in a sentence."""
    named: list[tuple[str, Row]] = []
    for ranking in board.rankings:
        named += zip((e.name for e in ranking.entries), ranking_rows(ranking), strict=True)
        named += [(f"{row.method} *", row) for row in board.published_beside(ranking)]
    rows, metric = [row for _, row in named], board.rankings[0].metric
    frame = frame_of(rows, COLUMNS, rounded=False)
    heads, shared = [Column("method")], []
    values: list[list[CellValue]] = [[name for name, _ in named]]
    for column in sorted(COLUMNS, key=_column_order):
        found = frame[column.name]
        is_text = column.metadata["dtype"] == "string"
        if column.name in _OMITTED_COLUMNS or found.isna().all():
            continue
        if column.name == "claim" and supports_usual_claim(found):
            continue
        if is_text and found.nunique(dropna=False) == 1 and len(rows) > 1:
            shared.append(f"{column.name} {found[0]}")
            continue
        heads.append(_page_column(column.name, column.metadata, is_text, metric))
        values.append([_cell_value(column.name, each) for each in found.tolist()])
    table = Table(
        "leaderboard",
        f"Ranked by {ACCURACIES[metric]} accuracy. Rows that share a rank do not differ "
        f"significantly ({100 * board.rankings[0].level:g} % for all pairs together, max-T). Ranks "
        "are among rows of the same data set, inference, epoch selection and shot rule.",
        heads,
        list(zip(*values, strict=True)),
    )
    said = [f"All rows have in common: {', '.join(shared)}."] if shared else []
    notes = [f"{note}." for ranking in board.rankings for note in ranking.notes]
    if any(row.rank is None and row.source != MEASURED for row in rows):
        said.append("Rows with a star are published, not measured here, and have no rank.")
    return Section(
        "leaderboard", "Leaderboard", paragraphs=[*said, *dict.fromkeys(notes)], blocks=[table]
    )


def _column_order(column: Field[Any]) -> int:
    """Returns the sort key of a column: the most important first, then the order of the files."""
    return (
        _FIRST_COLUMNS.index(column.name) if column.name in _FIRST_COLUMNS else len(_FIRST_COLUMNS)
    )


def _page_column(name: str, about: Mapping[str, Any], is_text: bool, metric: str) -> Column:
    decimals = None if is_text else _DECIMALS.get(name, 1 if about["dtype"] == "float64" else 0)
    title = _COLUMN_TITLES.get(name, name.replace("_", " "))
    title = p_column_head(metric) if name == "p_value_vs_best" else title
    return Column(title, about["help"], decimals, filtered=is_text and name != "source")


def _cell_value(name: str, value: Any) -> CellValue:
    if pd.isna(value):
        return None
    if name == "p_value_vs_best":
        return format_p(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value  # type: ignore[no-any-return]
