"""What is done of a grid, as the store has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ltbench.errors import DataError
from ltbench.grid.grid_file import Grid, GridCell, GridRun
from ltbench.storage.run_directory import RunDirectory

State = Literal["done", "failed", "running", "to do"]
STATES: tuple[State, ...] = ("done", "failed", "running", "to do")


@dataclass(frozen=True)
class RunState:
    """How far a run is.

    Args:
        run: As the grid asks for it.
        directory: Where its files are or would be.
        state: `failed` is what is not tried again without being told to.
        result: Of a run that is done.
        error: Why it failed.
        epochs: Epochs that are trained already.
    """

    run: GridRun
    directory: RunDirectory
    state: State
    result: Mapping[str, Any] | None = None
    error: str = ""
    epochs: int = 0


@dataclass(frozen=True)
class CellState:
    """How far the runs of a cell are."""

    cell: GridCell
    runs: Sequence[RunState]

    def count(self, state: State) -> int:
        """Returns how many runs are in a state."""
        return Counter(run.state for run in self.runs)[state]

    @property
    def results(self) -> list[Mapping[str, Any]]:
        """The results of the runs that are done."""
        return [run.result for run in self.runs if run.result is not None]


def read_states(grid: Grid, out: Path) -> list[CellState]:
    """Looks every run of a grid up in the store."""
    return [CellState(cell, [read_state(run, out) for run in cell.runs]) for cell in grid.cells]


def read_state(run: GridRun, out: Path) -> RunState:
    """Looks a run up in the store. One whose data is not in place is to do."""
    directory = RunDirectory.of(out, run.resolved.spec)
    if run.missing is not None:
        return RunState(run, directory, "to do")
    try:
        result, failure = directory.result(), directory.failure()
    except DataError as error:  # a file that was half-written or changed by hand
        return RunState(run, directory, "failed", error=error.message)
    if result is not None:
        return RunState(run, directory, "done", result=result)
    if failure is not None:
        return RunState(run, directory, "failed", error=failure["error"])
    state: State = "running" if directory.is_busy(out) else "to do"
    return RunState(run, directory, state, epochs=epochs_done(directory))


def epochs_done(directory: RunDirectory) -> int:
    """Returns how many epochs of a run are trained."""
    try:
        return (directory.path / "history.jsonl").read_bytes().count(b"\n")
    except OSError:
        return 0
