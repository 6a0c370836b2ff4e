"""A run of a grid during a command that executes it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ltbench.errors import BusyError
from ltbench.grid.run_pool import GridRun
from ltbench.grid.status import RunState, State

RETRY_SECONDS = 2.0  # until a run that another process executes is checked again


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
        start_time: Start of its process on the monotonic clock; None before.
        seconds: Duration of its process; None until it has ended.
    """

    cell: str
    run: GridRun
    found: RunState
    expected_seconds: float | None = None
    settled: bool = False
    earlier: bool = False
    elsewhere: bool = False
    start_time: float | None = None
    seconds: float | None = None
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

    def settle(self, found: RunState) -> None:
        """Records the final state of the run and releases its claim."""
        self.found, self.settled, self.elsewhere = found, True, False
        if self.start_time is not None:
            self.seconds = time.monotonic() - self.start_time
        self.release()

    def postpone(self) -> None:
        """Records that another process executes the run, and releases the claim."""
        self.start_time, self.elsewhere = None, True
        self._retry_time = time.monotonic() + RETRY_SECONDS
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
