"""Job of a cluster's queue that this process belongs to, from its environment."""

from __future__ import annotations

import os


def batch_job() -> str:
    """Returns the id of the job; empty outside of a job."""
    job = os.environ.get("SLURM_JOB_ID", "")
    return f"slurm-{job}" if job else ""


def is_restarted_job() -> bool:
    """Returns whether the queue has started the job again, under the same id.

    It does so after a preemption, after the loss of a node, and on request.
    """
    count = os.environ.get("SLURM_RESTART_COUNT", "0")
    return bool(batch_job()) and count.isdigit() and int(count) > 0


def tasks_of_step() -> int:
    """Returns how many times the queue has started this command together; 1 outside of a job."""
    tasks = os.environ.get("SLURM_STEP_NUM_TASKS", "1")  # set by srun alone
    return int(tasks) if tasks.isdigit() else 1
