"""States of Slurm's jobs, and what they mean for a run."""

from __future__ import annotations

import signal
from pathlib import Path

from ltbench.errors import Interrupted
from ltbench.jobs import Ended
from ltbench_plugins.executors.exits import cause
from ltbench_plugins.executors.slurm.commands import Row

LIVE = frozenset(
    {
        "PENDING",
        "CONFIGURING",
        "RUNNING",
        "COMPLETING",
        "SUSPENDED",
        "STOPPED",
        "SIGNALING",
        "RESIZING",
        "STAGE_OUT",
        "REQUEUED",
        "REQUEUE_FED",
        "REQUEUE_HOLD",
        "RESV_DEL_HOLD",
        "SPECIAL_EXIT",
    }
)
_STUCK = "launch failed requeued held"  # reason of a job that waits until it is released by hand
PREEMPTED = "PREEMPTED"  # it is put back into the queue, or not
QUEUED = frozenset({"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD"})
PLACED = LIVE - QUEUED
_MAX_SHOWN_BYTES = 400
# Words for ends that are no fault of the run, and whether another job goes on with it.
_EARLY = {
    "CANCELLED": ("it was cancelled", False),
    "DEADLINE": ("it missed its deadline", False),
    "REVOKED": ("it was revoked", False),
    "TIMEOUT": ("it reached its time limit", True),
    "NODE_FAIL": ("its node failed", True),
    "BOOT_FAIL": ("its node did not start", True),
    PREEMPTED: ("it was preempted", True),
}


def ended(job: str, row: Row, log: Path) -> Ended:
    """Returns how a job ended.

    Args:
        job: Name of the job.
        row: Its last state.
        log: Its output, whose end is shown where it failed.
    """
    code = -(row.status & 0x7F) or row.status >> 8
    where = f"job {row.id}" + (f" on {row.place}" if row.place else "")
    if row.state == "COMPLETED":
        return Ended(job, 0, f"{where} is completed")
    if row.state in _EARLY:
        what, retry = _EARLY[row.state]
        return Ended(job, None, f"{where}: {what}", resumable=True, retry=retry)
    if row.state == "OUT_OF_MEMORY":
        what = f"{where}: out of memory, raise executor.memory"
    elif code in (
        Interrupted.exit_code,
        -signal.SIGTERM,
    ):  # before a time limit, or before preemption
        return Ended(job, None, f"{where}: it was interrupted", resumable=True, retry=True)
    else:
        what = f"{where}: {cause(code)}"
    shown = tail(log)
    return Ended(job, code, f"{what}: {shown}" if shown else what)


def is_stuck(row: Row) -> bool:
    """Returns whether Slurm could not start a job, and holds it back until its user releases it."""
    return row.reason.lower().replace("_", " ") == _STUCK  # as older and newer versions write it


def stuck(job: str, id: str) -> Ended:
    """Returns the end of a job that Slurm could not start and holds back: another one may do."""
    return Ended(job, None, f"job {id}: {_STUCK}", resumable=True, retry=True)


def too_long(job: str, id: str) -> Ended:
    """Returns the end of a job whose doubled time limit is not allowed: a shorter one may be."""
    return Ended(job, None, f"job {id}: its time limit is not allowed", resumable=True, retry=True)


def lost(job: str, id: str) -> Ended:
    """Returns the end of a job that has left the queue without a trace."""
    reason = f"job {id} has left the queue, and its end is not known"
    return Ended(job, None, reason, resumable=True, retry=True)


def tail(log: Path) -> str:
    """Returns the end of a log in one line; empty where it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _MAX_SHOWN_BYTES))
            return " ".join(file.read().decode(errors="replace").split())
    except OSError:
        return ""
