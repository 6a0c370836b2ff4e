"""An executor around the one that is measured: its jobs are instant, and its calls are timed."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ltbench.jobs import DetachedExecutor, Ended, Executor, Job, JobReport, ReportingExecutor

INSTANT = Path(__file__).with_name("instant.py")


@dataclass
class Meter:
    """Executor that passes instant jobs to another one.

    Args:
        executor: The other executor.
        folder: Folder of the template and of what the jobs note.
        seeds: Seed of each run by its hash.
        known: Time at which the end of each job was known, in seconds since the epoch.
        start_seconds: Seconds until the executor had handed over its jobs.
        first_start: Time of the first call of `start`.
    """

    executor: Executor
    folder: Path
    seeds: Mapping[str, int]
    known: dict[str, float] = field(default_factory=dict)
    start_seconds: float = 0.0
    first_start: float = 0.0

    @property
    def slots(self) -> int:
        """Number of jobs at the same time."""
        return self.executor.slots

    def start(self, job: Job) -> None:
        """Starts a job that does nothing instead of the run."""
        began = time.time()
        self.first_start = self.first_start or began
        own = (str(self.folder), job.name, str(self.seeds[job.name]))
        command = (sys.executable, "-S", str(INSTANT), *own)
        self.executor.start(replace(job, command=command, request=""))
        self.start_seconds += time.time() - began

    def wait(self, seconds: float) -> Sequence[Ended]:
        """Returns the jobs that have ended, and notes the time."""
        ended = self.executor.wait(seconds)
        self.known |= dict.fromkeys((one.job for one in ended), time.time())
        return ended

    def stop(self) -> None:
        """Ends all jobs."""
        self.executor.stop()


@dataclass
class ReportingMeter(Meter):
    """The same for an executor whose jobs may wait."""

    executor: ReportingExecutor

    def report(self) -> Mapping[str, JobReport]:
        """Returns the places of the jobs."""
        return self.executor.report()


@dataclass
class DetachedMeter(ReportingMeter):
    """The same for an executor whose jobs outlive the command: `wait` may submit them."""

    executor: DetachedExecutor
    _new: bool = False

    def start(self, job: Job) -> None:
        """Starts a job that does nothing instead of the run."""
        super().start(job)
        self._new = True

    def wait(self, seconds: float) -> Sequence[Ended]:
        """Returns the jobs that have ended; does not wait for one where jobs were started."""
        if not self._new:
            return super().wait(seconds)
        began = time.time()
        ended = super().wait(0.0)
        self.start_seconds += time.time() - began
        self._new = False
        return ended

    def adopt(self, jobs: Sequence[Job]) -> Collection[str]:
        """Returns the names of jobs that go on."""
        return self.executor.adopt(jobs)

    def detach(self) -> None:
        """Leaves the jobs alone."""
        self.executor.detach()

    def cancel(self, names: Collection[str]) -> None:
        """Ends jobs."""
        self.executor.cancel(names)


def metered(executor: Executor, folder: Path, seeds: Mapping[str, int]) -> Meter:
    """Returns a meter around an executor."""
    if isinstance(executor, DetachedExecutor):
        return DetachedMeter(executor, folder, seeds)
    if isinstance(executor, ReportingExecutor):
        return ReportingMeter(executor, folder, seeds)
    return Meter(executor, folder, seeds)
