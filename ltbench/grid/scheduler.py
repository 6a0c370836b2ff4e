"""Execution of a grid's remaining runs, in cooperation with other processes on the same folder."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltbench.errors import BusyError, Interrupted, RunError
from ltbench.grid.status import CellState, RunState, read_state
from ltbench.grid.tally import Tally
from ltbench.grid.task import Task
from ltbench.grid.worker import BUSY, Request, record_failure
from ltbench.io.interrupts import check, named, requested_late
from ltbench.jobs import Ended, Executor, Job
from ltbench.specs import Settings
from ltbench.storage.run_directory import Overwrite, file_clock

STOP_SECONDS = 60.0  # for which `Executor.stop` may wait until the command is ended
POLL_SECONDS = 0.5  # for which `Executor.wait` may wait


@dataclass
class Scheduler:
    """Scheduler of the runs of a grid.

    Args:
        tasks: Tasks in the order in which they are started.
        executor: Executor of their processes.
        out: Folder of the run directories.
        overwrite: Earlier runs that are executed again.
        options: Values of the other fields of the workers' requests.
        start_time: Start of the command on the clock of the file system; results that are newer
            are never replaced.
    """

    tasks: Sequence[Task]
    executor: Executor
    out: Path
    overwrite: Overwrite
    options: Settings
    start_time: float

    @functools.cached_property
    def tally(self) -> Tally:
        """Numbers of the tasks by state, and the time that they take."""
        return Tally(self.tasks)

    @functools.cached_property
    def _open(self) -> dict[str, Task]:
        """Tasks that are not settled, by the hash of their run."""
        return {task.run.resolved.spec.hash: task for task in self.tasks if not task.settled}

    @classmethod
    def of(
        cls,
        cells: Sequence[CellState],
        executor: Executor,
        out: Path,
        overwrite: Overwrite,
        **options: Any,
    ) -> Scheduler:
        """Returns the schedule of a grid whose states were read.

        Args:
            cells: States of the runs by cell.
            executor: Executor of the processes.
            out: Folder of the run directories.
            overwrite: Earlier runs that are executed again.
            options: Values of the other fields of the workers' requests.
        """
        tasks = [Task(cell.cell.label, state.run, state) for cell in cells for state in cell.runs]
        schedule = cls(tasks, executor, out, overwrite, options, file_clock(out))
        for task in tasks:
            if schedule._is_settled(task.found):
                task.settled = task.earlier = True
        return schedule

    def run(self, show: Callable[[Task | None], None]) -> None:
        """Runs tasks until all are settled.

        Args:
            show: Callback for each task that is settled; called with None after each wait.

        Raises:
            Interrupted: The user interrupted the command; running tasks can be resumed.
        """
        try:
            with named():
                self._run(show)
        except Interrupted as error:
            done = sum(task.state == "done" for task in self.tasks)
            raise Interrupted(
                f"interrupted: {done} of {len(self.tasks)} runs are done",
                hint="start the same command again to resume",
            ) from error
        finally:
            self.executor.stop()
            for task in self.tasks:
                task.release()

    def _run(self, show: Callable[[Task | None], None]) -> None:
        while self._open:
            self._start(show)
            for ended in self.executor.wait(POLL_SECONDS):
                self._end(ended, show)
            check()
            show(None)

    def seconds_left(self) -> float | None:
        """Returns the forecast of the remaining time; None where a cell has no forecast."""
        left = self.tally.seconds_left()
        return None if left is None else left / self.executor.slots

    def _start(self, show: Callable[[Task | None], None]) -> None:
        """Starts a task in each free slot."""
        own = sum(task.start_time is not None for task in self.tally.running.values())
        free = self.executor.slots - own
        for task in list(self._open.values()) if free > 0 else ():
            if free <= 0:
                return
            check()
            if task.start_time is not None:
                continue
            claimed = task.claim(self.out)
            self.tally.update(task)
            if not claimed:
                continue
            found = read_state(task.run, self.out)
            if self._is_settled(found):  # another process has executed it meanwhile
                self._settle(task, found, show)
                continue
            request = Request.of(
                task.run.settings, out=str(self.out), overwrite=self.overwrite, **self.options
            )
            job = Job(task.run.resolved.spec.hash, request.command(), request.as_json())
            self.executor.start(job)
            task.start_time, free = time.monotonic(), free - 1
            self.tally.update(task)

    def _settle(self, task: Task, found: RunState, show: Callable[[Task | None], None]) -> None:
        task.settle(found)
        del self._open[task.run.resolved.spec.hash]
        self.tally.update(task)
        show(task)

    def _postpone(self, task: Task) -> None:
        task.postpone()
        self.tally.update(task)

    def _end(self, ended: Ended, show: Callable[[Task | None], None]) -> None:
        """Reads the state of a task whose process has ended."""
        task = self._open[ended.job]
        found = read_state(task.run, self.out)
        if not self._is_settled(found):
            if ended.code == BUSY:
                self._postpone(task)
                return
            reason = f"its process ended without a result ({ended.reason or 'unknown cause'})"
            recorded = True
            if ended.code != Interrupted.exit_code:  # interrupted: it can be resumed
                if requested_late():  # by a signal to all processes, this one among them
                    check()
                error = RunError(reason, hint="reduce --jobs if the memory was exhausted")
                try:
                    # A process whose end is unknown may have finished since the state was read.
                    recorded = record_failure(
                        task.run.resolved, self.out, error, "Crash", lambda: self._has_result(found)
                    )
                except BusyError:
                    self._postpone(task)
                    return
                except RunError as unwritten:  # a full disk: the other runs may still succeed
                    reason = f"{reason}; {unwritten.message}"
            if recorded:
                found = RunState(task.run, found.directory, "failed", error=reason)
            else:
                found = read_state(task.run, self.out)
        self._settle(task, found, show)

    def _is_settled(self, found: RunState) -> bool:
        """Returns whether this command keeps a run as it is stored."""
        if found.state == "done":
            return self._has_result(found)
        return found.state == "failed" and (
            self.overwrite == "never" or self._is_new(found, "failure.json")
        )

    def _has_result(self, found: RunState) -> bool:
        """Returns whether a run has a result that this command keeps."""
        stored = (found.directory.path / "result.json").exists()
        return stored and (self.overwrite != "always" or self._is_new(found, "result.json"))

    def _is_new(self, found: RunState, name: str) -> bool:
        path = found.directory.path / name
        try:
            return path.stat().st_mtime > self.start_time
        except FileNotFoundError:
            return False
