"""Runs what is left of a grid, together with whoever else is at it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from ltbench.errors import BusyError, Interrupted, RunError
from ltbench.grid.grid_file import GridRun
from ltbench.grid.status import CellState, RunState, State, read_state
from ltbench.grid.worker import BUSY, Request, record_failure
from ltbench.protocols import Ended, Executor, Job
from ltbench.specs import Settings
from ltbench.storage.run_directory import Overwrite, file_clock

_TICK = 0.5  # seconds between two looks
_LATER = 2.0  # seconds until a run that another process has is looked at again


@dataclass
class Task:
    """A run of the grid, and what this command knows of it.

    Args:
        cell: Label of its cell.
        run: The run.
        found: It in the store.
        expected: Seconds that it is expected to take; None where nothing is known.
        settled: Whether nothing is left to do.
        earlier: Whether it was settled before this command.
        elsewhere: Whether another process is at it.
        began: When its process was started, by the monotonic clock.
        seconds: What its process took.
    """

    cell: str
    run: GridRun
    found: RunState
    expected: float | None = None
    settled: bool = False
    earlier: bool = False
    elsewhere: bool = False
    began: float | None = None
    seconds: float | None = None
    _not_before: float = 0.0
    _claim: ExitStack = field(default_factory=ExitStack)

    @property
    def state(self) -> State:
        """How far it is."""
        if self.settled:
            return self.found.state
        return "to do" if self.began is None and not self.elsewhere else "running"

    @property
    def title(self) -> str:
        """Returns what it is called among the runs of the grid."""
        return f"{self.cell}, seed {self.run.resolved.spec.seed}"

    def settle(self, found: RunState) -> None:
        """Nothing is left to do."""
        self.found, self.settled, self.elsewhere = found, True, False
        if self.began is not None:
            self.seconds = time.monotonic() - self.began
        self.release()

    def put_off(self) -> None:
        """Another process is at it."""
        self.began, self.elsewhere = None, True
        self._not_before = time.monotonic() + _LATER
        self.release()

    def claim(self, out: Path) -> bool:
        """Returns whether it can be run now; keeps it from other grids if so."""
        if time.monotonic() < self._not_before:
            return False
        try:
            self._claim.enter_context(self.found.directory.claim(out))
        except BusyError:
            self.put_off()
            return False
        self.elsewhere = False
        return True

    def release(self) -> None:
        """Lets other grids have it."""
        self._claim.close()


@dataclass
class Schedule:
    """The runs of a grid on their way.

    Args:
        tasks: In the order in which they are begun.
        executor: Who runs them.
        out: Folder of the run directories.
        overwrite: Which earlier runs are done again.
        how: Further fields of the workers' requests.
        began: When the command began, by the clock of the store's files: what the store got since
            then is never done again.
    """

    tasks: Sequence[Task]
    executor: Executor
    out: Path
    overwrite: Overwrite
    how: Settings
    began: float

    @classmethod
    def of(
        cls,
        cells: Sequence[CellState],
        executor: Executor,
        out: Path,
        overwrite: Overwrite,
        **how: Any,
    ) -> Schedule:
        """Returns the schedule of a grid as it was found in the store."""
        tasks = [Task(cell.cell.label, state.run, state) for cell in cells for state in cell.runs]
        schedule = cls(tasks, executor, out, overwrite, how, file_clock(out))
        for task in tasks:
            if schedule._counts(task.found):
                task.settled = task.earlier = True
        return schedule

    def run(self, show: Callable[[Task | None], None]) -> None:
        """Runs what is not settled, until everything is.

        Args:
            show: Called with each task that is settled, and with None between.

        Raises:
            Interrupted: By the user; the runs in flight can be resumed.
        """
        try:
            while not all(task.settled for task in self.tasks):
                self._begin(show)
                for ended in self.executor.wait(_TICK):
                    self._end(ended, show)
                show(None)
        except KeyboardInterrupt as error:
            done = sum(task.state == "done" for task in self.tasks)
            raise Interrupted(
                f"interrupted: {done} of {len(self.tasks)} runs are done",
                hint="the same command goes on from there",
            ) from error
        finally:
            self.executor.stop()
            for task in self.tasks:
                task.release()

    def seconds_left(self) -> float | None:
        """Returns how long it will take from now; None where nothing is known of some cells."""
        took: dict[str, list[float]] = {}
        for task in self.tasks:
            if task.seconds is not None and task.state == "done":
                took.setdefault(task.cell, []).append(task.seconds)
        every = [seconds for one in took.values() for seconds in one]
        left = 0.0
        for task in self.tasks:
            if task.settled or task.elsewhere:
                continue
            known = took.get(task.cell) or ([task.expected] if task.expected else every)
            if not known:
                return None
            passed = 0.0 if task.began is None else time.monotonic() - task.began
            left += max(0.0, fmean(known) - passed)
        return left / self.executor.slots

    def _begin(self, show: Callable[[Task | None], None]) -> None:
        """Starts as many tasks as there are free slots."""
        free = self.executor.slots - sum(task.began is not None for task in self._open())
        for task in self._open():
            if free <= 0:
                return
            if task.began is not None or not task.claim(self.out):
                continue
            found = read_state(task.run, self.out)
            if self._counts(found):  # another process has run it meanwhile
                task.settle(found)
                show(task)
                continue
            request = Request.of(
                task.run.settings, out=str(self.out), overwrite=self.overwrite, **self.how
            )
            job = Job(task.run.resolved.spec.hash, request.command(), request.as_json())
            self.executor.start(job)
            task.began, free = time.monotonic(), free - 1

    def _open(self) -> list[Task]:
        return [task for task in self.tasks if not task.settled]

    def _end(self, ended: Ended, show: Callable[[Task | None], None]) -> None:
        """Looks what became of a task whose process has ended."""
        (task,) = (one for one in self.tasks if one.run.resolved.spec.hash == ended.job)
        found = read_state(task.run, self.out)
        if not self._counts(found):
            if ended.code == BUSY:
                task.put_off()
                return
            reason = f"its process ended without a result ({ended.reason or 'nothing is known'})"
            if ended.code != Interrupted.exit_code:  # that can simply be resumed
                error = RunError(reason, hint="if memory was short, take fewer --jobs")
                try:
                    record_failure(task.run.resolved, self.out, error, "Crash")
                except BusyError:
                    task.put_off()
                    return
            found = RunState(task.run, found.directory, "failed", error=reason)
        task.settle(found)
        show(task)

    def _counts(self, found: RunState) -> bool:
        """Returns whether this command leaves a run as it is in the store."""
        if found.state == "done":
            return self.overwrite != "always" or self._is_new(found, "result.json")
        return found.state == "failed" and (
            self.overwrite == "never" or self._is_new(found, "failure.json")
        )

    def _is_new(self, found: RunState, name: str) -> bool:
        path = found.directory.path / name
        try:
            return path.stat().st_mtime > self.began
        except FileNotFoundError:
            return False
