"""The executor: jobs handed to Slurm, and followed until they end."""

from __future__ import annotations

import shutil
import time
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ltbench import ExecutorContext
from ltbench.errors import RunError
from ltbench.jobs import Ended, Job, JobReport
from ltbench_plugins.executors.slurm.batch import PREFIX, Batch, Needs
from ltbench_plugins.executors.slurm.commands import Commands, Row, Silent
from ltbench_plugins.executors.slurm.options import SlurmOptions
from ltbench_plugins.executors.slurm.states import (
    LIVE,
    PLACED,
    PREEMPTED,
    STUCK,
    ended,
    lost,
    stuck,
)

STOP_SECONDS = 35.0  # from cancelling jobs until they are left to Slurm
PREEMPTED_SECONDS = 60.0  # for which a preempted job may take to be in the queue again
MAX_MISSED = 3  # answers without a job until it counts as lost
_POLL_STOP_SECONDS = 0.5
_MIN_SLEEP_SECONDS = 0.02


@dataclass
class _Followed:
    """A job that this executor follows.

    Args:
        batch: Its batch.
        index: Its index there.
        id: Its id at Slurm; empty until it was seen.
        missed: Number of answers without it.
        preempted_time: Time at which it was first seen as preempted; None where it is not.
    """

    batch: Batch
    index: int
    id: str = ""
    missed: int = 0
    preempted_time: float | None = None


class Slurm:
    """Executor of jobs of a Slurm cluster.

    Jobs that are started are submitted at the next `wait`, one array for all with the same needs.
    One question to the controller is about all of them. While it does not answer, the jobs go on,
    and no other is started.

    Args:
        config: Options.
        ctx: Context; `ctx.folder` has the scripts and logs.

    Raises:
        RunError: This machine has no `sbatch` or `squeue`, or the controller does not answer.
    """

    def __init__(self, config: SlurmOptions, ctx: ExecutorContext) -> None:
        self._config, self._ctx = config, ctx
        self._commands = Commands()
        self._folder = (config.log_folder or ctx.folder).absolute() / "slurm"
        self._waiting: list[Job] = []
        self._jobs: dict[str, _Followed] = {}
        self._timeouts: Counter[str] = Counter()
        self._batches: dict[str, Batch | None] = {}
        self._unsure: list[tuple[Batch, Sequence[Job]]] = []
        self._next_time = 0.0  # of the next question
        self._silent = False
        self._asked_time = time.monotonic()
        try:
            self._rows = self._commands.queue()  # the last answer
        except Silent as error:
            raise RunError(
                f"Slurm does not answer: {error}", hint="try `squeue` on this machine"
            ) from error

    @property
    def slots(self) -> int:
        """Number of jobs that wait in the queue or run."""
        known = len(self._jobs) + len(self._waiting) + sum(len(jobs) for _, jobs in self._unsure)
        return max(1, known) if self._silent else self._config.max_queued

    def start(self, job: Job) -> None:
        """Takes a job, which the next `wait` submits."""
        self._waiting.append(job)
        self._next_time = min(self._next_time, time.monotonic())

    def wait(self, seconds: float) -> Sequence[Ended]:
        """Submits what was started, and returns the jobs that have ended.

        Raises:
            RunError: Slurm refuses a job.
        """
        deadline = time.monotonic() + seconds
        while True:
            if time.monotonic() >= self._next_time:
                found = self._poll()
                if found:
                    return found
            left = min(deadline, self._next_time) - time.monotonic()
            if time.monotonic() >= deadline:
                return []
            time.sleep(max(_MIN_SLEEP_SECONDS, left))

    def adopt(self, jobs: Sequence[Job]) -> Collection[str]:
        """Returns the names of those jobs that are in the queue already."""
        placed = self._placed(self._answer())
        places = {name: (batch, row) for name, (batch, row) in placed if row.state in LIVE}
        adopted = [job.name for job in jobs if job.name in places]
        for name in adopted:
            batch, row = places[name]
            self._jobs[name] = _Followed(batch, row.index or 0, row.id)
        return adopted

    def report(self) -> Mapping[str, JobReport]:
        """Returns the jobs of the folder that wait or run."""
        recent = time.monotonic() < self._asked_time + self._config.poll_seconds
        rows = self._rows if recent else self._answer()
        return {name: _place(batch, row) for name, (batch, row) in self._placed(rows)}

    def cancel(self, names: Collection[str]) -> None:
        """Cancels jobs.

        Raises:
            RunError: The controller does not answer.
        """
        self._waiting = [job for job in self._waiting if job.name not in names]
        try:
            rows = self._commands.queue()
            ids = [row.id for name, (_, row) in self._placed(rows) if name in names]
            self._commands.cancel(ids)
        except Silent as error:
            raise RunError(f"jobs cannot be cancelled: {error}", hint="try again") from error

    def detach(self) -> None:
        """Submits what was started, and leaves all jobs alone.

        Raises:
            RunError: Some jobs cannot be submitted now.
        """
        try:
            self._submit()
        except Silent as error:
            raise RunError(
                f"not all jobs are submitted: {error}",
                hint="start the same command again: it submits the rest",
            ) from error

    def stop(self) -> None:
        """Cancels all jobs, and returns when they have ended."""
        self._waiting.clear()
        for batch, _ in self._unsure:
            self._follow(batch)
        self._unsure.clear()
        deadline, cancelled = time.monotonic() + STOP_SECONDS, False
        while self._jobs and time.monotonic() < deadline:
            try:
                if not cancelled:
                    self.cancel(self._jobs.keys())
                    cancelled = True
                rows = dict(self._placed(self._commands.queue()))
            except (RunError, Silent):
                time.sleep(1.0)
                continue
            self._jobs = {name: job for name, job in self._jobs.items() if name in rows}
            if self._jobs:
                time.sleep(_POLL_STOP_SECONDS)
        if self._jobs:
            names = ",".join(sorted({PREFIX + job.batch.token for job in self._jobs.values()}))
            warnings.warn(f"{len(self._jobs)} jobs may go on: scancel --name={names}", stacklevel=2)
            self._jobs.clear()

    def _poll(self) -> list[Ended]:
        """Asks for the ends of jobs, and submits what was started; once a poll interval."""
        self._asked_time = time.monotonic()
        self._next_time = self._asked_time + self._config.poll_seconds
        found: list[Ended] = []
        try:
            if self._jobs or self._unsure:
                self._rows = self._commands.queue()
                self._settle_unsure(self._rows)
                for end in self._ends(self._rows):  # keeps those before a silence
                    found.append(end)
            if self._waiting:
                self._submit()
            self._silent = False
        except Silent as error:
            if not self._silent:
                warnings.warn(f"waiting for Slurm: {error}", stacklevel=2)
            self._silent = True
        return found

    def _ends(self, rows: Iterable[Row]) -> Iterator[Ended]:
        """Yields the jobs that have ended, which are not followed any more."""
        found = {(row.name, row.index): row for row in rows}
        for name, job in list(self._jobs.items()):
            row = found.get((PREFIX + job.batch.token, job.index))
            end = self._missed(name, job) if row is None else self._seen(name, job, row)
            if end is not None:
                del self._jobs[name]
                yield end

    def _seen(self, name: str, job: _Followed, row: Row) -> Ended | None:
        job.id, job.missed = row.id, 0
        if row.reason == STUCK:
            self._commands.cancel([row.id])
            return stuck(name, row.id)
        if row.state != PREEMPTED:
            job.preempted_time = None
        elif job.preempted_time is None:
            job.preempted_time = time.monotonic()
        if row.state in LIVE or (
            job.preempted_time is not None
            and time.monotonic() < job.preempted_time + PREEMPTED_SECONDS
        ):
            return None
        self._timeouts[name] += row.state == "TIMEOUT"
        return ended(name, row, job.batch.log(job.index))

    def _missed(self, name: str, job: _Followed) -> Ended | None:
        """Returns the end of a job that an answer lacks; one such answer says nothing."""
        job.missed += 1
        if job.missed < MAX_MISSED:
            return None
        known = self._commands.accounted(job.id) if job.id else None
        if known is None:
            return lost(name, job.id or f"{PREFIX}{job.batch.token}")
        state, status = known
        if state in LIVE:
            return None
        return ended(name, Row(job.id, state, status, name), job.batch.log(job.index))

    def _submit(self) -> None:
        """Submits what was started: an array for each kind of needs.

        Raises:
            Silent: The controller cannot take jobs now; those that it has not taken wait.
            RunError: It refuses a job.
        """
        size, at_once = self._commands.max_array(), self._config.max_jobs or self._ctx.jobs

        def needs(job: Job) -> Needs:
            return Needs.of(job, self._config, self._timeouts[job.name])

        jobs = sorted(self._waiting, key=needs)
        total = len(jobs)
        for wanted, group in groupby(jobs, key=needs):
            alike = list(group)
            for first in range(0, len(alike), size):
                part = alike[first : first + size]
                share = at_once and max(1, at_once * len(part) // total)
                self._submit_batch(part, wanted, share)

    def _submit_batch(self, jobs: Sequence[Job], needs: Needs, at_once: int | None) -> None:
        batch = Batch.write(self._folder, jobs, self._ctx.out)
        arguments = batch.arguments(self._config, needs, at_once)
        try:
            self._commands.submit(arguments, batch.script)
        except Silent:
            self._unsure.append((batch, jobs))
            self._forget_waiting(jobs)
            raise
        self._forget_waiting(jobs)
        self._follow(batch)

    def _settle_unsure(self, rows: Iterable[Row]) -> None:
        """Follows the batches that the controller has taken though it did not say so."""
        taken = {row.name for row in rows}
        for batch, jobs in self._unsure:
            if PREFIX + batch.token in taken:
                self._follow(batch)
            else:
                self._waiting += jobs
                shutil.rmtree(batch.folder, ignore_errors=True)
        self._unsure.clear()

    def _follow(self, batch: Batch) -> None:
        self._batches[batch.token] = batch
        batch.link(self._ctx.folder / "logs")
        for index, name in enumerate(batch.names):
            self._jobs[name] = _Followed(batch, index)

    def _forget_waiting(self, jobs: Sequence[Job]) -> None:
        taken = {job.name for job in jobs}
        self._waiting = [job for job in self._waiting if job.name not in taken]

    def _answer(self) -> list[Row]:
        """Returns the present jobs, or those of the last answer."""
        self._asked_time = time.monotonic()
        try:
            self._rows = self._commands.queue()
        except Silent:
            self._silent = True
        return self._rows

    def _placed(self, rows: Iterable[Row]) -> Iterator[tuple[str, tuple[Batch, Row]]]:
        """Yields the jobs of this folder that have not ended: name, batch and row."""
        for row in rows:
            index = row.index
            if index is None or not row.name.startswith(PREFIX):
                continue
            if row.state not in LIVE and row.state != PREEMPTED:
                continue
            batch = self._batch(row.name.removeprefix(PREFIX))
            if batch is not None and index < len(batch.names):
                yield batch.names[index], (batch, row)

    def _batch(self, token: str) -> Batch | None:
        if token not in self._batches:
            self._batches[token] = Batch.read(self._folder, token, self._ctx.out)
        return self._batches[token]


def _place(batch: Batch, row: Row) -> JobReport:
    runs = row.state in PLACED
    return JobReport(
        state="running" if runs else "pending",
        id=row.id,
        place=row.place if runs else "",
        reason="" if runs else row.reason,
        start=row.start,
        log=batch.log(row.index or 0),
    )
