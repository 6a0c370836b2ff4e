"""States of a grid's runs, read from their run directories."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ltbench.errors import DataError
from ltbench.grid.grid_file import Grid, GridCell
from ltbench.grid.run_pool import GridRun
from ltbench.io.gc import gc_paused
from ltbench.io.reading import read_regular
from ltbench.storage import history
from ltbench.storage.result_schema import RunResult
from ltbench.storage.run_directory import RunDirectory

State = Literal["done", "failed", "running", "to do"]
STATES: tuple[State, ...] = ("done", "failed", "running", "to do")


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of a finished run that a grid shows: a whole result takes a hundred times the memory.

    Args:
        accuracy: Accuracy in percent.
        epochs: Number of trained epochs.
        seconds: Seconds that the stages of the run took.
        evaluation_seconds: Seconds of these that the evaluation took.
        memory_mb: Peak memory in MB.
        learned: Number of learned parameters.
        percent: Learned parameters in percent of the backbone's.
    """

    accuracy: float
    epochs: int
    seconds: float
    evaluation_seconds: float
    memory_mb: float
    learned: int
    percent: float

    @classmethod
    def of(cls, result: RunResult) -> Figures:
        """Returns the figures of a stored result."""
        stages = result.training.seconds, result.selection.seconds, result.evaluation.seconds
        refinement = result.refinement.seconds if result.refinement else 0.0
        return cls(
            accuracy=result.metrics.accuracy,
            epochs=result.training.epochs,
            seconds=sum(stages) + refinement,
            evaluation_seconds=result.evaluation.seconds,
            memory_mb=result.peak_memory_mb,
            learned=result.learned.total,
            percent=result.learned.percent,
        )


@dataclass(frozen=True, slots=True)
class RunState:
    """State of a run.

    Args:
        run: The run of the grid.
        directory: Its run directory, which may not exist yet.
        state: State; a failed run is executed again only on request (`--overwrite`).
        figures: Figures of a run that is done.
        error: Reason of a failure.
        epochs: Number of trained epochs.
    """

    run: GridRun
    directory: RunDirectory
    state: State
    figures: Figures | None = None
    error: str = ""
    epochs: int = 0


@dataclass(frozen=True, slots=True)
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
        return sum(run.state == state for run in self.runs)

    @property
    def figures(self) -> list[Figures]:
        """Figures of the runs that are done."""
        return [run.figures for run in self.runs if run.figures is not None]


@gc_paused()
def read_states(grid: Grid, out: Path) -> list[CellState]:
    """Reads the states of all runs of a grid.

    Folders are listed once, so that a run without files costs no call of the system.
    """
    store = _Store(out)
    return [CellState(cell, [store.read(run) for run in cell.runs]) for cell in grid.cells]


class _Store:
    """Folder of run directories whose listings are read once.

    Args:
        out: The folder.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._names: dict[Path, frozenset[str] | None] = {}
        self._folders: dict[tuple[str, str, str], Path] = {}

    def read(self, run: GridRun) -> RunState:
        """Returns the state of a run."""
        spec = run.resolved.spec
        parts = spec.dataset.name, spec.backbone.name, spec.method.name
        if parts not in self._folders:
            self._folders[parts] = RunDirectory.of(self._out, spec).path.parent
        folder = self._folders[parts]
        if self._has(folder, spec.hash) or self._has(self._out / ".locks", f"{spec.hash}.lock"):
            return read_state(run, self._out)
        return RunState(run, RunDirectory(folder / spec.hash), "to do")

    def _has(self, folder: Path, name: str) -> bool:
        """Returns whether a folder may have an entry."""
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(os.listdir(folder))  # noqa: PTH208  # names alone
            except FileNotFoundError:
                self._names[folder] = frozenset()
            except OSError:
                self._names[folder] = None
        names = self._names[folder]
        return names is None or name in names


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
        return RunState(run, directory, "done", figures=Figures.of(result))
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
