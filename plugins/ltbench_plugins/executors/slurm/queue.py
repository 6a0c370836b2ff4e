"""The executor: jobs handed to Slurm, and followed until they end."""

from __future__ import annotations

import time
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from ltbench import ExecutorContext
from ltbench.errors import RunError
from ltbench.jobs import Ended, Job, JobReport
from ltbench_plugins.executors.gpus import expect_enough_gpus
from ltbench_plugins.executors.slurm.batch import PREFIX, Batch
from ltbench_plugins.executors.slurm.commands import MAX_IDS, Commands, Full, Row, Silent
from ltbench_plugins.executors.slurm.followed import Followed, Unsure, place
from ltbench_plugins.executors.slurm.limits import Limits, Needs, is_too_long
from ltbench_plugins.executors.slurm.options import SlurmOptions
from ltbench_plugins.executors.slurm.states import (
    LIVE,
    PREEMPTED,
    QUEUED,
    ended,
    is_stuck,
    lost,
    stuck,
    too_long,
)

STOP_SECONDS = 35.0  # from cancelling jobs until they are left to Slurm
PREEMPTED_SECONDS = 60.0  # for which a preempted job may take to be in the queue again
MAX_MISSED = 3  # answers without a job, or a batch, until it counts as lost
MAX_MISSED_STOP = 10  # the same while jobs are cancelled
MAX_REFUSALS = 3  # the limit counts a job that has just ended for a moment
_FULL_HINT = "set executor.max_queued to the number of jobs that may wait at most"
_POLL_STOP_SECONDS = 0.5
_SILENT_SECONDS = 1.0  # between two requests to cancel to a silent controller
_MIN_SLEEP_SECONDS = 0.02


class Slurm:
    """Executor of jobs of a Slurm cluster.

    Jobs that are started are submitted at the next `wait`, one array for all with the same needs.
    One question to the controller is about all of them. While it does not answer, the jobs go on,
    and no other is started.

    Args:
        config: Options.
        ctx: Context; `ctx.folder` has the scripts and logs.

    Raises:
        ConfigError: A run reserves too few GPUs.
        RunError: This machine has no `sbatch` or `squeue`, or the controller does not answer.
    """

    def __init__(self, config: SlurmOptions, ctx: ExecutorContext) -> None:
        expect_enough_gpus(config.gpus, ctx)
        self._config, self._ctx = config, ctx
        self._commands = Commands()
        self._folder = (config.log_folder or ctx.folder).absolute() / "slurm"
        self._waiting: list[Job] = []
        self._jobs: dict[str, Followed] = {}
        self._limits = Limits(config)
        self._batches: dict[str, Batch | None] = {}
        self._unsure: list[Unsure] = []
        self._refusals = 0  # for too many waiting jobs, in a row, though the user had none
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
        known = len(self._jobs) + len(self._waiting) + sum(len(one.jobs) for one in self._unsure)
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
        return self._adopt(jobs, self._answer())

    def report(self) -> Mapping[str, JobReport]:
        """Returns the jobs of the folder that wait or run."""
        recent = time.monotonic() < self._asked_time + self._config.poll_seconds
        rows = self._rows if recent else self._answer()
        return {name: place(batch, row) for name, (batch, row) in self._placed(rows)}

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
            if self._waiting:
                self._rows = self._commands.queue()
                self._submit()
        except Silent as error:
            again = "start the same command again: it submits the rest"
            raise RunError(
                f"not all jobs are submitted: {error}",
                hint=f"{again}; or {_FULL_HINT}" if isinstance(error, Full) else again,
            ) from error

    def stop(self) -> None:
        """Cancels all jobs, and returns when they have ended."""
        self._waiting.clear()
        for one in self._unsure:
            self._follow(one.batch)
        self._unsure.clear()
        told: set[str] = set()
        deadline = time.monotonic() + STOP_SECONDS
        while self._jobs and time.monotonic() < deadline:
            try:
                self._rows = self._commands.queue()
                ids = self._to_cancel(self._rows, told)
                self._commands.cancel(ids)
                told.update(ids)
            except Silent:
                time.sleep(_SILENT_SECONDS)
                continue
            self._forget_ended(self._rows)
            if self._jobs:
                time.sleep(_POLL_STOP_SECONDS)
        if self._jobs:
            names = ",".join(sorted({PREFIX + job.batch.token for job in self._jobs.values()}))
            warnings.warn(f"{len(self._jobs)} jobs may go on: scancel --name={names}", stacklevel=2)
            self._jobs.clear()

    def _to_cancel(self, rows: Iterable[Row], cancelled: Collection[str]) -> list[str]:
        """Returns the ids of jobs to cancel; a running one is in them once."""
        placed = (row for name, (_, row) in self._placed(rows) if name in self._jobs)
        return [row.id for row in placed if row.id not in cancelled or row.state in QUEUED]

    def _forget_ended(self, rows: Iterable[Row]) -> None:
        """Forgets the cancelled jobs that have ended.

        One answer without a job says nothing; a preempted one may be in the queue again soon.
        """
        states = {(row.name, row.index): row.state for row in rows}
        for name, job in list(self._jobs.items()):
            state = states.get((PREFIX + job.batch.token, job.index))
            if state in LIVE:
                job.missed = 0
                continue
            job.missed += 1
            if job.missed >= MAX_MISSED_STOP or state not in (None, PREEMPTED):
                del self._jobs[name]

    def _poll(self) -> list[Ended]:
        """Asks for the ends of jobs, and submits what was started; once a poll interval."""
        self._asked_time = time.monotonic()
        self._next_time = self._asked_time + self._config.poll_seconds
        found: list[Ended] = []
        try:
            if self._jobs or self._unsure or self._waiting:
                self._rows = self._commands.queue()
                self._settle_unsure(self._rows)
                for end in self._ends(self._rows):  # keeps those before a silence
                    found.append(end)
            if self._waiting:
                self._submit()
            self._silent = False
        except Silent as error:
            self._wait_for(error)
        return found

    def _wait_for(self, silence: Silent) -> None:
        if not self._silent:
            warnings.warn(f"waiting for Slurm: {silence}", stacklevel=2)
        self._silent = True

    def _ends(self, rows: Iterable[Row]) -> Iterator[Ended]:
        """Yields the jobs that have ended, which are not followed any more."""
        found = {(row.name, row.index): row for row in rows}
        forgotten: list[str] = []
        for name, job in list(self._jobs.items()):
            row = found.get((PREFIX + job.batch.token, job.index))
            if row is None:
                job.missed += 1  # one such answer says nothing
                forgotten += [name] if job.missed >= MAX_MISSED else []
                continue
            end = self._seen(name, job, row)
            if end is not None:
                del self._jobs[name]
                yield end
        yield from self._accounted(forgotten[:MAX_IDS])

    def _seen(self, name: str, job: Followed, row: Row) -> Ended | None:
        job.id, job.missed = row.id, 0
        if is_stuck(row):
            self._commands.cancel([row.id])
            return stuck(name, row.id)
        if is_too_long(row) and self._limits.is_doubled([name], job.batch.seconds):
            self._commands.cancel([row.id])
            self._limits.refuse(job.batch.seconds, row.reason)
            return too_long(name, row.id)
        if row.state != PREEMPTED:
            job.preempted_time = None
        elif job.preempted_time is None:
            job.preempted_time = time.monotonic()
        if row.state in LIVE or (
            job.preempted_time is not None
            and time.monotonic() < job.preempted_time + PREEMPTED_SECONDS
        ):
            return None
        return self._ended(name, job, row)

    def _accounted(self, names: Sequence[str]) -> Iterator[Ended]:
        """Yields the ends of jobs that the controller has forgotten."""
        known = self._commands.accounted([id for name in names if (id := self._jobs[name].id)])
        for name in names:
            job = self._jobs[name]
            row = known.get(job.id)
            if row is not None and row.state in LIVE:
                job.missed = 0
                continue
            del self._jobs[name]
            if row is None:
                yield lost(name, job.id or f"{PREFIX}{job.batch.token}")
            else:
                yield self._ended(name, job, row)

    def _ended(self, name: str, job: Followed, row: Row) -> Ended:
        end = ended(name, row, job.batch.log(job.index))
        self._limits.note(end, row)
        return end

    def _submit(self) -> None:
        """Submits what was started and is in no queue: an array for each kind of needs.

        The last answer is a present one: jobs of an earlier command may be seen late.

        Raises:
            Silent: The controller cannot take jobs now; those that it has not taken wait.
            RunError: It refuses a job.
        """
        self._forget_waiting(self._adopt(self._waiting, self._rows))
        if not self._waiting:
            return
        size, at_once = self._commands.max_array(), self._config.max_jobs or self._ctx.jobs
        jobs = sorted(self._waiting, key=self._limits.needs)
        total = len(jobs)
        for wanted, group in groupby(jobs, key=self._limits.needs):
            alike = list(group)
            for first in range(0, len(alike), size):
                part = alike[first : first + size]
                share = at_once and max(1, at_once * len(part) // total)
                if not self._submit_batch(part, wanted, share):
                    self._next_time = time.monotonic()  # the others have other needs now
                    return

    def _submit_batch(self, jobs: Sequence[Job], needs: Needs, at_once: int | None) -> bool:
        """Submits an array; returns False where the jobs wait for less time than they needed."""
        batch = Batch.write(self._folder, jobs, self._ctx.out, needs.seconds)
        arguments = batch.arguments(self._config, needs, at_once)
        batch.write_script(self._config.setup, arguments)
        try:
            self._commands.submit(arguments, batch.script)
        except Full as error:
            batch.remove()
            queued = bool(self._jobs) or any(row.state in LIVE for row in self._rows)
            self._refusals = 0 if queued else self._refusals + 1
            if self._refusals >= MAX_REFUSALS:
                raise RunError(
                    f"Slurm takes no array of {len(jobs)} jobs: {error}", hint=_FULL_HINT
                ) from error
            raise
        except Silent:
            self._unsure.append(Unsure(batch, jobs))
            self._forget_waiting(batch.names)
            raise
        except RunError as error:
            if not self._limits.is_doubled(batch.names, needs.seconds):
                raise
            self._limits.refuse(needs.seconds, error.message)
            batch.remove()
            return False
        self._refusals = 0
        self._forget_waiting(batch.names)
        self._follow(batch)
        return True

    def _settle_unsure(self, rows: Iterable[Row]) -> None:
        """Follows the batches that the controller has taken though it did not say so."""
        taken = {row.name for row in rows}
        for one in list(self._unsure):
            one.missed += 1
            if PREFIX + one.batch.token in taken:
                self._follow(one.batch)
            elif one.missed >= MAX_MISSED:
                self._waiting += one.jobs
                one.batch.remove()
            else:
                continue
            self._unsure.remove(one)

    def _follow(self, batch: Batch) -> None:
        self._batches[batch.token] = batch
        batch.link(self._ctx.folder / "logs")
        for index, name in enumerate(batch.names):
            self._jobs[name] = Followed(batch, index)

    def _adopt(self, jobs: Sequence[Job], rows: Iterable[Row]) -> list[str]:
        """Follows those jobs that are in the queue; returns their names."""
        placed = self._placed(rows)
        places = {name: (batch, row) for name, (batch, row) in placed if row.state in LIVE}
        adopted = [job.name for job in jobs if job.name in places]
        for name in adopted:
            batch, row = places[name]
            self._jobs[name] = Followed(batch, row.index or 0, row.id)
        return adopted

    def _forget_waiting(self, names: Collection[str]) -> None:
        taken = set(names)
        self._waiting = [job for job in self._waiting if job.name not in taken]

    def _answer(self) -> list[Row]:
        """Returns the present jobs, or those of the last answer."""
        self._asked_time = time.monotonic()
        try:
            self._rows = self._commands.queue()
        except Silent as error:
            self._wait_for(error)
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
