"""Output of `ltbench reproduce`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rich.markup import escape

from ltbench.analysis.comparison.labels import label_cells
from ltbench.analysis.comparison.published_targets import CloseTarget, TargetMatches
from ltbench.analysis.comparison.reproduction import Reproduction, Reproductions
from ltbench.analysis.comparison.reproduction_text import (
    describe_close_target,
    reproduction_notes,
    reproduction_sentence,
)
from ltbench.analysis.comparison.summary_text import format_points
from ltbench.cli.output import print_json
from ltbench.io.console import console
from ltbench.io.fitted_table import FittedTable
from ltbench.metric_names import ACCURACIES
from ltbench.storage.results import Cell, SkippedRun

SCHEMA = 1
MAX_LISTED = 10


def print_reproductions(
    found: Reproductions, matches: TargetMatches, skipped: Sequence[SkippedRun], *, json: bool
) -> None:
    """Prints the tests: a table, sentences and notes."""
    if json:
        print_json(_json(found, matches, skipped))
        return
    out = console()
    out.print(
        f"\n[bold]{ACCURACIES[found.metric]} accuracy[/] against published numbers, margin "
        f"{found.margin:g} points\n"
    )
    out.print(_table(found))
    out.print()
    for one in found.each:
        out.print(escape(reproduction_sentence(one, found)), soft_wrap=True)
    out.print()
    for note in reproduction_notes(found):
        out.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)
    for close in matches.close[:MAX_LISTED]:
        out.print(f"[yellow]close[/] {escape(describe_close_target(close))}", soft_wrap=True)
    if len(matches.close) > MAX_LISTED:
        out.print(f"[yellow]close[/] and {len(matches.close) - MAX_LISTED} more", soft_wrap=True)
    if matches.unmatched:
        out.print(
            f"[yellow]note[/] no number is published for {_listed(label_cells(matches.unmatched))}",
            soft_wrap=True,
        )


def _table(found: Reproductions) -> FittedTable:
    table = FittedTable("runs")
    interval = f"{100 * found.interval_level:.4g} % interval"
    for head in ("paper %", "here %", "seeds", "difference", interval):
        table.add_column(head, right=True)
    table.add_column("verdict")
    for one in found.each:
        test = one.test
        table.add_row(
            escape(one.name),
            f"{one.target.value:g}",
            f"{one.mean:.2f}",
            str(len(one.values)),
            format_points(one.difference, 2),
            "-"
            if test is None
            else f"{format_points(test.found.low, 2)} to {format_points(test.found.high, 2)}",
            f"[bold]{one.verdict}[/]" if one.verdict == "equivalent" else one.verdict,
        )
    return table


def _listed(named: Sequence[str]) -> str:
    more = f" and {len(named) - MAX_LISTED} more" if len(named) > MAX_LISTED else ""
    return escape("; ".join(named[:MAX_LISTED]) + more)


def _json(
    found: Reproductions, matches: TargetMatches, skipped: Sequence[SkippedRun]
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "metric": found.metric,
        "margin": found.margin,
        "level": found.level,
        "interval_level": found.interval_level,
        "correction": "holm",
        "tests": found.tests,
        "reproductions": [_one_json(one, found) for one in found.each],
        "close": [_close_json(one) for one in matches.close],
        "without": [_cell_json(cell) for cell in matches.unmatched],
        "notes": list(reproduction_notes(found)),
        "skipped": [{"path": str(item.path), "reason": item.reason} for item in skipped],
    }


def _one_json(one: Reproduction, found: Reproductions) -> dict[str, Any]:
    return {
        "name": one.name,
        **_cell_json(one.cell),
        "published": dataclasses.asdict(one.target),
        "values": one.values.tolist(),
        "mean": one.mean,
        "difference": one.difference,
        "test": None if one.test is None else dataclasses.asdict(one.test),
        "verdict": one.verdict,
        "sentence": reproduction_sentence(one, found),
    }


def _close_json(one: CloseTarget) -> dict[str, Any]:
    return {
        **_cell_json(one.cell),
        "published": dataclasses.asdict(one.target),
        "differs_in": {
            key: {"published": values[0], "here": values[1]}
            for key, values in one.differences.items()
        },
    }


def _cell_json(cell: Cell) -> dict[str, Any]:
    spec = cell.spec
    return {
        "dataset": spec.dataset.name,
        "backbone": spec.backbone.name,
        "method": spec.method.name,
        "seeds": list(cell.seeds),
        "runs": [str(run.path) for run in cell.runs],
    }
