"""Execution of a grid's remaining runs, in cooperation with other processes on the same folder."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ltbench.errors import BusyError, Interrupted, RunError
from ltbench.grid.detached_command import DetachedCommand
from ltbench.grid.late_results import LateResults
from ltbench.grid.status import CellState, RunState, read_state
from ltbench.grid.tally import Tally
from ltbench.grid.task import Task
from ltbench.grid.worker import BUSY, Request, record_failure
from ltbench.io.interrupts import check, named, requested_late
from ltbench.io.open_files import allow_open_files
from ltbench.jobs import DetachedExecutor, Ended, Executor, Job, ReportingExecutor, Resources
from ltbench.specs import Settings
from ltbench.storage.lock_probe import LockProbe, hold_probe
from ltbench.storage.run_directory import Overwrite, file_clock

STOP_SECONDS = 60.0  # for which `Executor.stop` may wait until the command is ended
FEW_SLOTS = 200  # with which no limit of open files is met
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
        resources: Needs of each run, but for its forecast.
        detach: Whether the command ends when the executor has the jobs.
        detached_command: The last command that left jobs of the grid.
    """

    tasks: Sequence[Task]
    executor: Executor
    out: Path
    overwrite: Overwrite
    options: Settings
    start_time: float
    resources: Resources = field(default_factory=Resources)
    detach: bool = False
    detached_command: DetachedCommand | None = None
    _started: dict[str, Task] = field(default_factory=dict)
    _probe: LockProbe | None = None
    _late: LateResults = field(default_factory=LateResults)

    @functools.cached_property
    def tally(self) -> Tally:
        """Numbers of the tasks by state, and the time that they take."""
        return Tally(self.tasks)

    @functools.cached_property
    def _open(self) -> dict[str, Task]:
        """Tasks that are not settled, by the hash of their run."""
        return {task.run.resolved.spec.hash: task for task in self.tasks if not task.settled}

    @functools.cached_property
    def detached(self) -> DetachedExecutor | None:
        """The executor where its jobs outlive the command."""
        return self.executor if isinstance(self.executor, DetachedExecutor) else None

    @functools.cached_property
    def reporting(self) -> ReportingExecutor | None:
        """The executor where its jobs may wait."""
        return self.executor if isinstance(self.executor, ReportingExecutor) else None

    @property
    def queued(self) -> int:
        """Number of jobs that the executor has and that do not run yet."""
        return sum(task.start_time is None for task in self._started.values())

    @classmethod
    def of(
        cls,
        cells: Sequence[CellState],
        executor: Executor,
        out: Path,
        overwrite: Overwrite,
        resources: Resources = Resources(),  # noqa: B008  # frozen
        start_time: float | None = None,
        **options: Any,
    ) -> Scheduler:
        """Returns the schedule of a grid whose states were read.

        Args:
            cells: States of the runs by cell.
            executor: Executor of the processes.
            out: Folder of the run directories.
            overwrite: Earlier runs that are executed again.
            resources: Needs of each run, but for its forecast.
            start_time: Start of the command on the clock of the file system; None for now.
            options: Values of the other fields of the workers' requests.
        """
        tasks = [Task(cell.cell.label, state.run, state) for cell in cells for state in cell.runs]
        began = file_clock(out) if start_time is None else start_time
        schedule = cls(tasks, executor, out, overwrite, options, began, resources)
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
        detaches = self.detach and self.detached is not None
        try:
            with named(), hold_probe(self.out) as self._probe:
                if self.detach and self.detached is not None:
                    self._submit(self.detached, show)
                else:
                    self._run(show)
        except Interrupted as error:
            done = sum(task.state == "done" for task in self.tasks)
            raise Interrupted(
                f"interrupted: {done} of {len(self.tasks)} runs are done",
                hint="start the same command again to resume",
            ) from error
        finally:
            try:
                if not detaches:  # jobs of an earlier command may be among those of this one
                    self.executor.stop()
            finally:
                for task in self.tasks:
                    task.release()

    def _run(self, show: Callable[[Task | None], None]) -> None:
        while self._open:
            self._start(show)
            late = self._late.take()
            for ended in (*late, *self.executor.wait(POLL_SECONDS)):
                self._end(ended, show)
            self._observe()
            if self._probe is not None:
                self._probe.check()
            check()
            show(None)

    def _submit(self, executor: DetachedExecutor, show: Callable[[Task | None], None]) -> None:
        """Passes the jobs to the executor, and leaves them alone."""
        self._start(show)
        check()
        executor.detach()

    def _observe(self) -> None:
        """Reads where the jobs are."""
        if self.reporting is not None:
            for name, place in self.reporting.report().items():
                task = self._started.get(name)
                if task is not None and task.observe(place):
                    self.tally.update(task)

    def seconds_left(self) -> float | None:
        """Returns the forecast of the remaining time; None where a cell has no forecast."""
        left = self.tally.seconds_left()
        return None if left is None else left / self.executor.slots

    def _start(self, show: Callable[[Task | None], None]) -> None:
        """Starts a task in each free slot."""
        free = self.executor.slots - len(self._started)
        if free > FEW_SLOTS:  # each claim is an open file
            free = min(free, allow_open_files() - len(self._started))
        jobs: list[Job] = []
        for task in list(self._open.values()) if free > 0 else ():
            if len(jobs) == free:
                break
            check()
            if not task.started and self._claims(task, show):
                jobs.append(self._job(task))
        adopted = self.detached.adopt(jobs) if jobs and self.detached is not None else ()
        for job in jobs:
            if job.name not in adopted:
                self.executor.start(job)
            task = self._started[job.name] = self._open[job.name]
            task.start(queued=self.reporting is not None)
            self.tally.update(task)

    def _claims(self, task: Task, show: Callable[[Task | None], None]) -> bool:
        """Claims a task that is still to be executed; returns whether that succeeded."""
        claimed = task.claim(self.out)
        self.tally.update(task)
        if not claimed:
            return False
        found = read_state(task.run, self.out)
        if self._is_settled(found):  # another process has executed it meanwhile
            self._settle(task, found, show)
            return False
        return True

    def _job(self, task: Task) -> Job:
        request = Request.of(
            task.run.settings,
            out=str(self.out),
            overwrite=self.overwrite,
            probe=self._probe.name if self._probe else "",
            **self.options,
        )
        return Job(
            task.run.resolved.spec.hash,
            request.command(),
            request.as_json(),
            replace(self.resources, seconds=task.expected_seconds),
            task.title,
        )

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
        self._started.pop(ended.job, None)
        task = self._open[ended.job]
        found = read_state(task.run, self.out)
        if not self._is_settled(found):
            if self._late.keep(ended, found):
                return
            if ended.code == BUSY:
                self._postpone(task)
                return
            # SIGTERM before a process handles it is an interruption as well.
            if ended.resumable or ended.code in (Interrupted.exit_code, -signal.SIGTERM):
                if ended.retry and task.restart(found.epochs):
                    self.tally.update(task)
                    return
                found = replace(found, state="to do", error=ended.reason or "interrupted")
            else:
                crashed = self._crashed(task, ended, found)
                if crashed is None:
                    return
                found = crashed
        self._settle(task, found, show)

    def _crashed(self, task: Task, ended: Ended, found: RunState) -> RunState | None:
        """Records a crash; returns the state of the run, None where another process has it."""
        reason = f"its process ended without a result ({ended.reason or 'unknown cause'})"
        if requested_late():  # by a signal to all processes, this one among them
            check()
        hint = "reduce --jobs if the memory was exhausted"
        if self.detached is not None:
            hint = f"see its output: ltbench grid logs {ended.job} --out {self.out}"
        error = RunError(reason, hint=hint)
        try:
            # A process whose end is unknown may have finished since the state was read.
            if not record_failure(
                task.run.resolved, self.out, error, "Crash", lambda: self._has_result(found)
            ):
                return read_state(task.run, self.out)
        except BusyError:
            self._postpone(task)
            return None
        except RunError as unwritten:  # a full disk: the other runs may still succeed
            reason = f"{reason}; {unwritten.message}"
        return RunState(task.run, found.directory, "failed", error=reason)

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
