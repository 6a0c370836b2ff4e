"""Jobs of a grid in the queue of a cluster, as `grid status` and `grid logs` show them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from ltbench.cli.grid.show import first, print_more
from ltbench.io.fitted_table import FittedTable
from ltbench.io.text import line_text

if TYPE_CHECKING:
    from ltbench.jobs import JobReport


def print_jobs(
    jobs: Sequence[tuple[str, JobReport, float | None]], console: Console, all_jobs: bool
) -> None:
    """Prints a table of jobs: where they run, or why they wait.

    Args:
        jobs: Title, place, and forecast of the duration of each.
        console: Console of the output.
        all_jobs: Whether every job is shown.
    """
    table = FittedTable("run", "job", "state", "where, why", "expected")
    for title, job, seconds in first(jobs, all_jobs):
        place = escape(line_text(job.place or job.reason))
        table.add_row(escape(title), escape(job.id), job.state, place, expected(job, seconds))
    console.print(table)
    print_more(len(jobs), "jobs", console, all_jobs)


def expected(job: JobReport, seconds: float | None) -> str:
    """Returns when a job is expected to start or to end; empty where that is not known."""
    if job.start is None:
        return ""
    if job.state == "pending":
        return f"starts {_clock(job.start)}"
    return "" if seconds is None else f"ends {_clock(max(job.start + seconds, time.time()))}"


def _clock(seconds: float) -> str:
    """Returns a time of the day, with the date where it is another day."""
    when = datetime.fromtimestamp(seconds)
    return f"{when:%H:%M}" if when.date() == datetime.now().date() else f"{when:%d %b %H:%M}"


def job_as_json(job: JobReport | None, seconds: float | None) -> Mapping[str, Any] | None:
    """Returns the JSON object of a job: times in seconds since the epoch."""
    if job is None:
        return None
    ends = job.start is not None and seconds is not None and job.state == "running"
    return {
        "id": job.id,
        "state": job.state,
        "place": job.place or None,
        "reason": job.reason or None,
        "start": job.start,
        "expected_end": (job.start or 0.0) + (seconds or 0.0) if ends else None,
        "log": None if job.log is None else str(job.log),
    }
