"""Output of the verbs of `ltbench grid`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.markup import escape

from ltbench.grid.display import COLORS, colored_count
from ltbench.io.fitted_table import FittedTable

if TYPE_CHECKING:
    from ltbench.grid.grid_file import Grid
    from ltbench.grid.status import RunState

MAX_SHOWN = 20  # cells or errors, without --all
T = TypeVar("T")


def first(items: Sequence[T], all_items: bool) -> Sequence[T]:
    """Returns the items that are shown."""
    return items if all_items else items[:MAX_SHOWN]


def print_more(count: int, what: str, console: Console, all_items: bool) -> None:
    """Prints the number of items that `first` left out, if any.

    Args:
        count: Number of all items.
        what: Plural of the items.
        console: Console of the output.
        all_items: Whether every item is shown.
    """
    if count > MAX_SHOWN and not all_items:
        console.print(f"{count - MAX_SHOWN:,} more {what}: --all")


def print_states(
    cells: Sequence[tuple[str, Sequence[RunState]]], console: Console, all_cells: bool
) -> None:
    """Prints cells with their runs by state, and the totals of all cells."""
    console.print(_state_table(first(cells, all_cells)))
    print_more(len(cells), "cells", console, all_cells)
    total = Counter(state.state for _, states in cells for state in states)
    counts = ", ".join(f"{total[name]:,} {name}" for name in COLORS if total[name])
    console.print(f"{total.total():,} runs in {len(cells):,} cells: {counts or 'none'}")


def _state_table(cells: Iterable[tuple[str, Sequence[RunState]]]) -> FittedTable:
    """Returns a table of cells: runs by state, and their accuracy."""
    table = FittedTable("cell")
    for column in (*COLORS, "accuracy"):
        table.add_column(column, right=True)
    for label, states in cells:
        counts = Counter(state.state for state in states)
        shown = [colored_count(counts[name], color) for name, color in COLORS.items()]
        values = [state.figures.accuracy for state in states if state.figures]
        table.add_row(escape(label), *shown, _spread(values))
    return table


def _spread(values: Sequence[float]) -> str:
    if not values:
        return ""
    return f"{fmean(values):.1f}" + (f" ± {stdev(values):.1f}" if len(values) > 1 else "")


def print_failed(
    states: Iterable[tuple[str, RunState]], console: Console, all_errors: bool
) -> None:
    """Prints the errors of failed runs."""
    failed = [(label, state) for label, state in states if state.state == "failed"]
    for label, state in first(failed, all_errors):
        seed = state.run.resolved.spec.seed
        console.print(f"[red]failed[/] {escape(f'{label}, seed {seed}: {state.error}')}")
        console.print(f"       [dim]{escape(str(state.directory.path))}[/]", soft_wrap=True)
    print_more(len(failed), "failed runs", console, all_errors)


def print_notes(grid: Grid, console: Console, all_notes: bool) -> None:
    """Prints the remarks about a grid, and its missing data sets and weights."""
    for note in first(grid.notes, all_notes):
        console.print(f"[dim]{escape(note)}[/]", soft_wrap=True)
    print_more(len(grid.notes), "remarks", console, all_notes)
    missing = list(dict.fromkeys(run.missing.message for run in grid.runs if run.missing))
    for message in first(missing, all_notes):
        console.print(f"[yellow]missing[/] {escape(message)}", soft_wrap=True)
    print_more(len(missing), "missing", console, all_notes)
