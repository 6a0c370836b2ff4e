"""Jobs and batches that the executor follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ltbench.jobs import Job, JobReport
from ltbench_plugins.executors.slurm.batch import Batch
from ltbench_plugins.executors.slurm.commands import Row
from ltbench_plugins.executors.slurm.states import PLACED


@dataclass
class Followed:
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


@dataclass
class Unsure:
    """A batch that the controller has taken, or not: it did not answer.

    Args:
        batch: The batch.
        jobs: Its jobs.
        missed: Number of answers without it.
    """

    batch: Batch
    jobs: Sequence[Job]
    missed: int = 0


def place(batch: Batch, row: Row) -> JobReport:
    """Returns the place of a job in the queue."""
    runs = row.state in PLACED
    return JobReport(
        state="running" if runs else "pending",
        id=row.id,
        place=row.place if runs else "",
        reason="" if runs else row.reason,
        start=row.start,
        log=batch.log(row.index or 0),
    )
