"""Output of the verbs of `ltbench grid`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from statistics import fmean, stdev
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ltbench.cli.output import plain_table
from ltbench.io.console import console

if TYPE_CHECKING:
    from ltbench.grid.grid_file import Grid
    from ltbench.grid.scheduler import Scheduler
    from ltbench.grid.status import RunState, State
    from ltbench.grid.task import Task

_COLORS: dict[State, str] = {"done": "green", "failed": "red", "running": "cyan", "to do": ""}
MAX_LIVE_ROWS = 20
MAX_SHOWN = 20  # cells or errors, without --all
T = TypeVar("T")


def duration(seconds: float) -> str:
    """Returns a duration in words.

    >>> [duration(seconds) for seconds in (0.4, 59.6, 3599, 7260)]
    ['0 s', '1 min', '60 min', '2 h 01 min']
    """
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes <= 90 else f"{minutes // 60} h {minutes % 60:02} min"


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
    counts = ", ".join(f"{total[name]:,} {name}" for name in _COLORS if total[name])
    console.print(f"{total.total():,} runs in {len(cells):,} cells: {counts or 'none'}")


def _state_table(cells: Iterable[tuple[str, Sequence[RunState]]]) -> Table:
    """Returns a table of cells: runs by state, and their accuracy."""
    table = plain_table("cell")
    for column in (*_COLORS, "accuracy"):
        table.add_column(column, justify="right")
    for label, states in cells:
        counts = Counter(state.state for state in states)
        shown = [_count(counts[name], color) for name, color in _COLORS.items()]
        values = [state.figures.accuracy for state in states if state.figures]
        table.add_row(escape(label), *shown, _spread(values))
    return table


def _count(count: int, color: str) -> str:
    return f"[{color}]{count}[/]" if count and color else str(count or "")


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


@contextmanager
def following(scheduler: Scheduler) -> Iterator[Callable[[Task | None], None]]:
    """Yields the callback that shows a schedule on stderr: a live table, or lines."""
    errors = console(stderr=True)

    def print_line(task: Task | None) -> None:
        if task is not None:
            with suppress(OSError):  # a full or closed stderr must not end the runs
                errors.print(_line(scheduler, task), soft_wrap=True)

    if not errors.is_terminal:
        yield print_line
        return
    # Refreshed by the scheduler: a thread would slow down the runs.
    with Live(console=errors, auto_refresh=False, transient=True) as live:

        def show(task: Task | None) -> None:
            print_line(task)
            live.update(_board(scheduler), refresh=True)

        yield show


def _line(scheduler: Scheduler, task: Task) -> Text:
    settled = scheduler.tally.total["done"] + scheduler.tally.total["failed"]
    how = "" if task.seconds is None else f" in {duration(task.seconds)}"
    if task.found.figures is not None:
        what = f"{task.found.figures.accuracy:.1f} %{how}"
    else:
        what = task.found.error
    left = scheduler.seconds_left()
    rest = f"; {duration(left)} left" if left else ""
    word = "done elsewhere" if task.state == "done" and not how else task.state
    counted = f"{settled}/{len(scheduler.tasks)} "
    return Text.assemble(counted, (word, _COLORS[task.state]), f" {task.title}: {what}{rest}")


def _board(scheduler: Scheduler) -> Group:
    """Returns the live table: cells, running tasks, and totals."""
    tally = scheduler.tally
    running = list(tally.running.values())
    cells = list(tally.cells)
    if len(cells) > MAX_LIVE_ROWS:  # only cells with a running task
        cells = list(dict.fromkeys(task.cell for task in running))
    table = plain_table("cell")
    for column in _COLORS:
        table.add_column(column, justify="right")
    for label in cells:
        counts = tally.states_of(label)
        table.add_row(escape(label), *(_count(counts[name], c) for name, c in _COLORS.items()))
    left = scheduler.seconds_left()
    summary = ", ".join(f"{tally.total[name]} {name}" for name in _COLORS)
    rest = "" if left is None else f"; {duration(left)} left"
    lines = [Text(_flight(task)) for task in running[:MAX_LIVE_ROWS]]
    return Group(table, *lines, Text(f"{summary}{rest}"))


def _flight(task: Task) -> str:
    if task.elsewhere:
        return f"  {task.title}: executed by another process"
    from ltbench.grid.status import trained_epochs

    done, epochs = trained_epochs(task.found.directory), task.run.resolved.spec.train.epochs
    return f"  {task.title}: " + (f"epoch {done + 1}/{epochs}" if done < epochs else "evaluating")
