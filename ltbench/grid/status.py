"""States of a grid's runs, read from their run directories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ltbench.errors import DataError
from ltbench.grid.grid_file import Grid, GridCell
from ltbench.grid.run_pool import GridRun
from ltbench.io.reading import read_regular
from ltbench.storage import history
from ltbench.storage.result_schema import RunResult
from ltbench.storage.run_directory import RunDirectory

State = Literal["done", "failed", "running", "to do"]
STATES: tuple[State, ...] = ("done", "failed", "running", "to do")


@dataclass(frozen=True)
class RunState:
    """State of a run.

    Args:
        run: The run of the grid.
        directory: Its run directory, which may not exist yet.
        state: State; a failed run is executed again only on request (`--overwrite`).
        result: Result of a run that is done.
        error: Reason of a failure.
        epochs: Number of trained epochs.
    """

    run: GridRun
    directory: RunDirectory
    state: State
    result: RunResult | None = None
    error: str = ""
    epochs: int = 0


@dataclass(frozen=True)
class CellState:
    """States of the runs of a cell.

    Args:
        cell: The cell of the grid.
        runs: States of its runs.
    """

    cell: GridCell
    runs: Sequence[RunState]

    def count(self, state: State) -> int:
        """Returns the number of runs in a state."""
        return Counter(run.state for run in self.runs)[state]

    @property
    def results(self) -> list[RunResult]:
        """Results of the runs that are done."""
        return [run.result for run in self.runs if run.result is not None]


def read_states(grid: Grid, out: Path) -> list[CellState]:
    """Reads the states of all runs of a grid."""
    return [CellState(cell, [read_state(run, out) for run in cell.runs]) for cell in grid.cells]


def read_state(run: GridRun, out: Path) -> RunState:
    """Reads the state of a run; a run whose data set or weights are missing is "to do"."""
    directory = RunDirectory.of(out, run.resolved.spec)
    if run.missing is not None:
        return RunState(run, directory, "to do")
    try:
        result, failure = directory.result(), directory.failure()
    except DataError as error:  # a damaged or edited file
        return RunState(run, directory, "failed", error=error.message)
    if result is not None:
        return RunState(run, directory, "done", result=result)
    if failure is not None:
        return RunState(run, directory, "failed", error=failure.error)
    state: State = "running" if directory.is_busy(out) else "to do"
    return RunState(run, directory, state, epochs=trained_epochs(directory))


def trained_epochs(directory: RunDirectory) -> int:
    """Returns the number of trained epochs of a run."""
    try:
        return read_regular(directory.path / history.FILE, history.LARGEST).count(b"\n")
    except OSError:
        return 0
