"""A run of a grid during a command that executes it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ltbench.errors import BusyError
from ltbench.grid.run_pool import GridRun
from ltbench.grid.status import RunState, State
from ltbench.jobs import JobReport

RETRY_SECONDS = 2.0  # until a run that another process executes is checked again
MAX_ATTEMPTS = 4  # jobs of a run that end early, one after the other, without a completed epoch


@dataclass
class Task:
    """A run of the grid during this command.

    Args:
        cell: Label of its cell.
        run: The run.
        found: State in the run directory.
        expected_seconds: Forecast of the duration; None where there is no forecast.
        settled: Whether the run needs no further work.
        earlier: Whether the run was settled before this command.
        elsewhere: Whether another process executes the run.
        started: Whether the executor has its job.
        place: Place of the job, where the executor reports it.
        start_time: Start of its process on the monotonic clock; None before, and while its job
            waits in a queue.
        seconds: Duration of its process; None until it has ended.
        attempts: Number of its jobs that ended early since an epoch was completed.
    """

    cell: str
    run: GridRun
    found: RunState
    expected_seconds: float | None = None
    settled: bool = False
    earlier: bool = False
    elsewhere: bool = False
    started: bool = False
    place: JobReport | None = None
    start_time: float | None = None
    seconds: float | None = None
    attempts: int = 0
    _epochs: int = 0
    _retry_time: float = 0.0
    _claim: ExitStack = field(default_factory=ExitStack)

    @property
    def state(self) -> State:
        """Current state of the run."""
        if self.settled:
            return self.found.state
        return "to do" if self.start_time is None and not self.elsewhere else "running"

    @property
    def title(self) -> str:
        """Name of the run within the grid."""
        return f"{self.cell}, seed {self.run.resolved.spec.seed}"

    def start(self, *, queued: bool) -> None:
        """Records that the executor has the job.

        Args:
            queued: Whether the executor reports when the job begins to run.
        """
        self.started = True
        if not queued:
            self.start_time = time.monotonic()

    def observe(self, place: JobReport) -> bool:
        """Records where the job is; returns whether it has begun to run, or waits again."""
        self.place = place
        runs = place.state == "running"
        changed = runs != (self.start_time is not None)
        if changed:
            began = time.time() if place.start is None else place.start
            elapsed = max(0.0, time.time() - began)
            self.start_time = time.monotonic() - elapsed if runs else None
        return changed

    def settle(self, found: RunState) -> None:
        """Records the final state of the run and releases its claim."""
        self.found, self.settled, self.elsewhere = found, True, False
        if self.start_time is not None:
            self.seconds = time.monotonic() - self.start_time
        elif self.started and found.figures is not None:  # it ended before it was seen to run
            self.seconds = found.figures.seconds
        self.release()

    def postpone(self) -> None:
        """Records that another process executes the run, and releases the claim."""
        self._leave()
        self.elsewhere = True
        self._retry_time = time.monotonic() + RETRY_SECONDS

    def restart(self, epochs: int) -> bool:
        """Records that the job ended early; returns whether another one may be started.

        Args:
            epochs: Number of trained epochs.
        """
        self.attempts = 1 if epochs > self._epochs else self.attempts + 1
        self._epochs = epochs
        if self.attempts >= MAX_ATTEMPTS:
            return False
        self._leave()
        return True

    def _leave(self) -> None:
        self.started, self.place, self.start_time = False, None, None
        self.release()

    def claim(self, out: Path) -> bool:
        """Claims the run for this command; returns whether that succeeded."""
        if time.monotonic() < self._retry_time:
            return False
        try:
            self._claim.enter_context(self.found.directory.claim(out))
        except BusyError:
            self.postpone()
            return False
        self.elsewhere = False
        return True

    def release(self) -> None:
        """Releases the claim, so that other commands may execute the run."""
        self._claim.close()
