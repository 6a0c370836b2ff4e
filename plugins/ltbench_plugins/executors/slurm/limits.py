"""Needs of jobs: a time limit from the forecast, twice as much after each one that was reached."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ltbench.jobs import Ended, Job
from ltbench_plugins.executors.slurm.commands import Row
from ltbench_plugins.executors.slurm.options import SlurmOptions, limit_seconds

WARNING_SECONDS = 90  # from the interruption of a run until the time limit
_EARLY_SECONDS = 60  # by which Slurm may interrupt earlier
_LAST_SECONDS = WARNING_SECONDS + _EARLY_SECONDS + 30  # of a job that its limit interrupts
_START_SECONDS = 600  # added to the forecast: start of the process, a slow disk
_STEP_SECONDS = 900  # to which a forecast is rounded up, so that there are few arrays
# Reasons why a job waits for ever, lowercase: sbatch need not refuse what exceeds a limit.
_TOO_LONG = frozenset(
    {
        "partitiontimelimit",
        "qosmaxwalldurationperjoblimit",
        "assocmaxwalldurationperjoblimit",
    }
)


@dataclass(frozen=True, order=True)
class Needs:
    """Needs of the jobs of a batch.

    Args:
        seconds: Time limit in seconds; 0 for the partition's own.
        gpus: Number of GPUs.
    """

    seconds: int
    gpus: int


class Limits:
    """Needs of jobs, and what their time limits have shown.

    Args:
        config: Options of the executor.
    """

    def __init__(self, config: SlurmOptions) -> None:
        self._config = config
        self._reached: Counter[str] = Counter()  # limits that the jobs of a name have reached
        self._first: dict[str, int] = {}  # limit of each job before any was doubled
        self._refused = math.inf  # smallest doubled limit that Slurm does not allow

    def needs(self, job: Job) -> Needs:
        """Returns the needs of a job."""
        config, expected = self._config, job.resources.seconds
        gpus = job.resources.gpus if config.gpus is None else config.gpus
        if config.time != "auto":
            return Needs(limit_seconds(config.time) or 0, gpus)
        if expected is None:
            return Needs(0, gpus)
        doublings, self._first[job.name] = self._reached[job.name], _limit(expected, 0)
        while doublings and _limit(expected, doublings) >= self._refused:
            doublings -= 1
        return Needs(_limit(expected, doublings), gpus)

    def note(self, end: Ended, row: Row) -> None:
        """Notes whether a job has ended because of its time limit.

        A run that is interrupted before its limit ends by itself: Slurm reports FAILED.
        """
        last = row.state == "FAILED" and row.left is not None and row.left <= _LAST_SECONDS
        self._reached[end.job] += row.state == "TIMEOUT" or (end.retry and last)

    def is_doubled(self, names: Iterable[str], seconds: int) -> bool:
        """Returns whether a time limit of some jobs was doubled, so that they may have less."""
        return all(seconds > self._first.get(name, seconds) for name in names)

    def refuse(self, seconds: int, reason: str) -> None:
        """Notes that Slurm does not allow a doubled time limit: jobs get less from now on."""
        if seconds < self._refused:
            what = f"Slurm allows no time limit of {seconds // 60} minutes ({reason})"
            warnings.warn(f"{what}: runs go on with less", stacklevel=2)
            self._refused = seconds


def is_too_long(row: Row) -> bool:
    """Returns whether a job waits for ever, because its time limit is not allowed."""
    return row.reason.lower() in _TOO_LONG


def _limit(expected: float, doublings: int) -> int:
    wanted = math.ldexp(2 * expected + _START_SECONDS, doublings)
    return math.ceil(wanted / _STEP_SECONDS) * _STEP_SECONDS
