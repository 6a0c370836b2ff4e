"""CSV and JSON files of a leaderboard."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Sequence
from typing import Any

from ltbench.analysis.leaderboard.ranking import Ranking
from ltbench.analysis.leaderboard.rows import COLUMNS, LEADERBOARD_SCHEMA, Row, ranking_rows
from ltbench.io.text import csv_text
from ltbench.storage.results import SkippedRun


def to_csv(rows: Iterable[Row]) -> str:
    """Returns rows as CSV (RFC 4180): a header, CR LF line ends, empty fields for None."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([column.name for column in COLUMNS])
    for row in rows:
        values = _rounded_values(row)
        writer.writerow([csv_text(values[column.name]) for column in COLUMNS])
    return buffer.getvalue()


def to_json(
    rankings: Sequence[Ranking], published: Sequence[Row], skipped: Sequence[SkippedRun]
) -> dict[str, Any]:
    """Returns rankings, with the run directories of each row, as JSON values."""
    return {
        "schema": LEADERBOARD_SCHEMA,
        "rankings": [_ranking_json(ranking) for ranking in rankings],
        "published": [_rounded_values(row) for row in published],
        "skipped": [{"path": str(item.path), "reason": item.reason} for item in skipped],
    }


def _ranking_json(ranking: Ranking) -> dict[str, Any]:
    rows = [
        {
            **_rounded_values(row),
            "name": entry.name,
            "runs": [{"seed": run.seed, "path": str(run.path)} for run in entry.cell.runs],
        }
        for entry, row in zip(ranking.entries, ranking_rows(ranking), strict=True)
    ]
    return {
        "conditions": dataclasses.asdict(ranking.conditions),
        "metric": ranking.metric,
        "level": ranking.level,
        "rows": rows,
        "notes": list(ranking.notes),
    }


def _rounded_values(row: Row) -> dict[str, Any]:
    """Returns the values of a row, rounded as the columns specify."""
    return {
        column.name: _round_value(getattr(row, column.name), column.metadata["decimals"])
        for column in COLUMNS
    }


def _round_value(value: Any, decimals: int | None) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.4g}") if decimals is None else round(value, decimals)
