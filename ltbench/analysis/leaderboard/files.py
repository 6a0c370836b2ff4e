"""CSV and JSON files of a leaderboard."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from ltbench.analysis.columns import round_values
from ltbench.analysis.leaderboard.frame import leaderboard_frame
from ltbench.analysis.leaderboard.ranking import Ranking
from ltbench.analysis.leaderboard.rows import COLUMNS, LEADERBOARD_SCHEMA, Row, ranking_rows
from ltbench.io.tables import csv_table
from ltbench.storage.results import SkippedRun


def to_csv(rows: Sequence[Row]) -> str:
    """Returns rows as CSV (RFC 4180): a header, CR LF line ends, empty fields for None."""
    return csv_table(leaderboard_frame(rows))


def to_json(
    rankings: Sequence[Ranking], published: Sequence[Row], skipped: Sequence[SkippedRun]
) -> dict[str, Any]:
    """Returns rankings, with the run directories of each row, as JSON values."""
    return {
        "schema": LEADERBOARD_SCHEMA,
        "rankings": [_ranking_json(ranking) for ranking in rankings],
        "published": [round_values(row, COLUMNS) for row in published],
        "skipped": [{"path": str(item.path), "reason": item.reason} for item in skipped],
    }


def _ranking_json(ranking: Ranking) -> dict[str, Any]:
    rows = [
        {
            **round_values(row, COLUMNS),
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
