"""The rows of a leaderboard for programs: CSV and JSON."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Sequence
from typing import Any

from ltbench.analysis.leaderboard.ranking import Ranking
from ltbench.analysis.leaderboard.rows import COLUMNS, SCHEMA, Row, rows_of
from ltbench.io.text import printable
from ltbench.storage.results import SkippedRun


def to_csv(rows: Iterable[Row]) -> str:
    """Returns rows as CSV (RFC 4180): a header, CR LF, nothing where nothing is known."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([column.name for column in COLUMNS])
    for row in rows:
        values = _plain(row)
        writer.writerow([_text(values[column.name]) for column in COLUMNS])
    return buffer.getvalue()


def to_json(
    rankings: Sequence[Ranking], published: Sequence[Row], skipped: Sequence[SkippedRun]
) -> dict[str, Any]:
    """Returns rankings with the run directories of each row."""
    return {
        "schema": SCHEMA,
        "rankings": [_ranking(ranking) for ranking in rankings],
        "published": [_plain(row) for row in published],
        "skipped": [{"path": str(item.path), "reason": item.reason} for item in skipped],
    }


def _ranking(ranking: Ranking) -> dict[str, Any]:
    rows = [
        {
            **_plain(row),
            "name": entry.name,
            "runs": [{"seed": run.seed, "path": str(run.path)} for run in entry.cell.runs],
        }
        for entry, row in zip(ranking.entries, rows_of(ranking), strict=True)
    ]
    return {
        "conditions": dataclasses.asdict(ranking.conditions),
        "metric": ranking.metric,
        "level": ranking.level,
        "rows": rows,
        "notes": list(ranking.notes),
    }


def _plain(row: Row) -> dict[str, Any]:
    """The values of a row, rounded to what they are worth."""
    return {
        column.name: _rounded(getattr(row, column.name), column.metadata["decimals"])
        for column in COLUMNS
    }


def _rounded(value: Any, decimals: int | None) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.4g}") if decimals is None else round(value, decimals)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else printable(str(value))
