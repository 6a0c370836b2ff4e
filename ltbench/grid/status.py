"""States of a grid's runs, read from their run directories."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ltbench.errors import DataError
from ltbench.grid.grid_file import Grid, GridCell
from ltbench.grid.run_pool import GridRun
from ltbench.io.gc import gc_paused
from ltbench.io.reading import read_regular
from ltbench.storage import history
from ltbench.storage.result_schema import Failure, RunResult
from ltbench.storage.run_directory import RunDirectory
from ltbench.storage.run_index import RunIndex
from ltbench.storage.shared_parts import SharedParts

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
        return cls.read(result.peek)

    @classmethod
    def read(cls, read: Callable[[str], Any]) -> Figures:
        """Returns the figures of a stored result.

        Args:
            read: Function that returns a field of the result, or a part of one.
        """
        evaluation = read("evaluation.seconds")
        learned, refined = read("learned"), read("refinement")
        stages = read("training.seconds"), read("selection").seconds, evaluation
        return cls(
            accuracy=read("metrics.numbers")[0],
            epochs=read("training.epochs"),
            seconds=sum(stages) + (refined.seconds if refined else 0.0),
            evaluation_seconds=evaluation,
            memory_mb=read("peak_memory_mb"),
            learned=learned.total,
            percent=learned.percent,
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

    Folders are listed once, so that a run without files costs no call of the system. A result that
    the index of the folder has is not read.
    """
    store = _Store(out)
    states = [CellState(cell, [store.read(run) for run in cell.runs]) for cell in grid.cells]
    store.index.save()
    return states


class _Store:
    """Folder of run directories whose listings are read once.

    Args:
        out: The folder.

    Attributes:
        index: Index of its results.
    """

    def __init__(self, out: Path) -> None:
        self._out, self._locks = out, out / ".locks"
        self.index = RunIndex(out, SharedParts())
        self._names: dict[Path, frozenset[str] | None] = {}
        self._folders: dict[tuple[str, str, str], Path] = {}

    def read(self, run: GridRun) -> RunState:
        """Returns the state of a run."""
        spec = run.resolved.spec
        parts = spec.dataset.name, spec.backbone.name, spec.method.name
        if parts not in self._folders:
            self._folders[parts] = RunDirectory.of(self._out, spec).path.parent
        folder = self._folders[parts]
        has_files = self._has(folder, spec.hash)
        if has_files and run.missing is None and (done := self._done(run, folder)):
            return done
        if has_files or self._has(self._locks, f"{spec.hash}.lock"):
            return read_state(run, self._out)
        return RunState(run, RunDirectory(folder / spec.hash), "to do")

    def _done(self, run: GridRun, folder: Path) -> RunState | None:
        """Returns the state of a finished run; None where it is no such run, or is broken."""
        path = f"{folder}/{run.resolved.spec.hash}"
        if os.path.exists(f"{path}/{Failure.FILE}"):  # noqa: PTH110  # faster than pathlib
            return None
        read = self.index.reader(path)
        if read is None:
            try:
                read = self.index.read(path).peek
            except DataError:
                return None
        directory = RunDirectory(folder / run.resolved.spec.hash)
        done = RunState(run, directory, "done", figures=Figures.read(read))
        self.index.pack()
        return done

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
