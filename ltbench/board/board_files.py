"""Files of a board for programs: `leaderboard.csv` and `board.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ltbench import __version__
from ltbench.analysis.columns import round_values
from ltbench.analysis.leaderboard.frame import leaderboard_frame
from ltbench.analysis.leaderboard.rows import COLUMNS, Row
from ltbench.board.contributors import Contributor
from ltbench.board.entries import BoardDataset, BoardEntry
from ltbench.board.verification import Refusal
from ltbench.io.tables import csv_table, text_series

BOARD_SCHEMA = 1
"""Version of `board.json`. New keys may be added; none changes its name or meaning."""


def board_csv(datasets: Sequence[BoardDataset]) -> str:
    """Returns all rows: the columns of `ltbench leaderboard --csv`, then the authors and the page.

    Args:
        datasets: Data sets of the board.
    """
    rows: list[Row] = []
    authors: list[str | None] = []
    pages: list[str | None] = []
    for dataset in datasets:
        for each in dataset.rankings:
            rows += [*(entry.row for entry in each.entries), *each.published]
            authors += [entry.measured_by for entry in each.entries]
            pages += [_page(dataset, entry) for entry in each.entries]
            authors += [None] * len(each.published)
            pages += [None] * len(each.published)
    frame = leaderboard_frame(rows)
    frame["measured_by"], frame["page"] = text_series(authors), text_series(pages)
    return csv_table(frame)


def board_json(
    datasets: Sequence[BoardDataset],
    contributors: Mapping[str, Contributor],
    refusals: Sequence[Refusal],
) -> str:
    """Returns the content of `board.json`.

    Args:
        datasets: Data sets of the board.
        contributors: Contributors with an entry, by the name of their folder.
        refusals: Reasons why packs are left out.
    """
    described = {
        "schema": BOARD_SCHEMA,
        "made_with": f"ltbench {__version__}",
        "datasets": [_dataset_json(dataset) for dataset in datasets],
        "contributors": [asdict(one) for _, one in sorted(contributors.items())],
        "left_out": [asdict(one) for one in refusals],
    }
    return json.dumps(described, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _dataset_json(dataset: BoardDataset) -> dict[str, Any]:
    return {
        "name": dataset.label,
        "page": f"{dataset.folder}/index.html",
        "rankings": [
            {
                "conditions": asdict(each.ranking.conditions),
                "metric": each.ranking.metric,
                "level": each.ranking.level,
                "notes": list(each.ranking.notes),
                "entries": [_entry_json(dataset, entry) for entry in each.entries],
                "published": [round_values(row, COLUMNS) for row in each.published],
            }
            for each in dataset.rankings
        ],
    }


def _entry_json(dataset: BoardDataset, entry: BoardEntry) -> dict[str, Any]:
    return {
        **round_values(entry.row, COLUMNS),
        "name": entry.ranked.name,
        "page": _page(dataset, entry),
        "measured_by": [one.name for one in entry.contributors],
        "runs": [
            {
                "seed": run.seed,
                "hash": verified.hash,
                "accuracy": round(verified.accuracy, 4),
                "contributor": verified.contributor,
                "pack": verified.pack,
                "data": verified.data,
                "command": verified.command.line,
                "doubt": verified.command.doubt,
            }
            for run, verified in zip(entry.ranked.cell.runs, entry.runs, strict=True)
        ],
    }


def _page(dataset: BoardDataset, entry: BoardEntry) -> str:
    return f"{dataset.folder}/{entry.page}.html"
