"""Progress of a grid's execution on stderr or below the cell of a notebook."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from ltbench.grid.scheduler import Scheduler
from ltbench.grid.status import State, trained_epochs
from ltbench.grid.task import Task
from ltbench.io.console import console
from ltbench.io.fitted_table import FittedTable
from ltbench.io.notebook import notebook_text
from ltbench.io.text import line_text

COLORS: dict[State, str] = {"done": "green", "failed": "red", "running": "cyan", "to do": ""}
MAX_LIVE_ROWS = 20
_MAX_NOTEBOOK_LINES = 20


def duration(seconds: float) -> str:
    """Returns a duration in words.

    >>> [duration(seconds) for seconds in (0.4, 59.6, 3599, 7260)]
    ['0 s', '1 min', '60 min', '2 h 01 min']
    """
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes <= 90 else f"{minutes // 60} h {minutes % 60:02} min"


def colored_count(count: int, color: str) -> str:
    """Returns a number of runs in the colour of their state, as markup; empty for none."""
    return f"[{color}]{count}[/]" if count and color else str(count or "")


@contextmanager
def show_progress(scheduler: Scheduler) -> Iterator[Callable[[Task | None], None]]:
    """Yields the callback that shows a schedule's progress.

    It is a live table on a terminal, one text below the cell of a notebook, and lines on stderr
    elsewhere.

    Args:
        scheduler: The schedule.
    """
    errors = console(stderr=True)
    if errors.is_jupyter:
        with _shown_in_notebook(scheduler) as show:
            yield show
        return

    def print_line(task: Task | None) -> None:
        if task is not None:
            with suppress(OSError):  # a full or closed stderr must not end the runs
                errors.print(_line(scheduler, task), soft_wrap=True)

    if not errors.is_terminal:
        yield print_line
        return
    # Refreshed by the scheduler: a thread would slow down the runs.
    with Live(console=errors, auto_refresh=False, transient=True) as live:

        def update(task: Task | None) -> None:
            print_line(task)
            live.update(_board(scheduler), refresh=True)

        yield update


@contextmanager
def _shown_in_notebook(scheduler: Scheduler) -> Iterator[Callable[[Task | None], None]]:
    lines: deque[str] = deque(maxlen=_MAX_NOTEBOOK_LINES)

    def text() -> str:
        running = list(scheduler.tally.running.values())[:MAX_LIVE_ROWS]
        return "\n".join((*lines, *map(_flight, running), _summary(scheduler)))

    shown = notebook_text()

    def update(task: Task | None) -> None:
        if task is not None:
            lines.append(line_text(_line(scheduler, task).plain))
        shown.show(text)

    try:
        yield update
    finally:
        shown.close()


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
    return Text.assemble(counted, (word, COLORS[task.state]), f" {task.title}: {what}{rest}")


def _board(scheduler: Scheduler) -> Group:
    """Returns the live table: cells, running tasks, and totals."""
    tally = scheduler.tally
    running = list(tally.running.values())
    cells = list(tally.cells)
    if len(cells) > MAX_LIVE_ROWS:  # only cells with a running task
        cells = list(dict.fromkeys(task.cell for task in running))
    table = FittedTable("cell")
    for column in COLORS:
        table.add_column(column, right=True)
    for label in cells:
        counts = tally.states_of(label)
        table.add_row(
            escape(label), *(colored_count(counts[name], c) for name, c in COLORS.items())
        )
    lines = [Text(_flight(task)) for task in running[:MAX_LIVE_ROWS]]
    return Group(table, *lines, Text(_summary(scheduler)))


def _summary(scheduler: Scheduler) -> str:
    left = scheduler.seconds_left()
    counts = ", ".join(f"{scheduler.tally.total[name]} {name}" for name in COLORS)
    if scheduler.queued:
        counts += f" ({scheduler.queued} in the queue)"
    return counts if not left else f"{counts}; {duration(left)} left"


def _flight(task: Task) -> str:
    if task.elsewhere:
        return f"  {task.title}: executed by another process"
    done, epochs = trained_epochs(task.found.directory), task.run.resolved.spec.train.epochs
    job = "" if task.place is None or not task.place.id else f"job {task.place.id}, "
    where = "" if task.place is None else f" ({job}{task.place.place})"
    what = f"epoch {done + 1}/{epochs}" if done < epochs else "evaluating"
    return f"  {task.title}{where}: {what}"
