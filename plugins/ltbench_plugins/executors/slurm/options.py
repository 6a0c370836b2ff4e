"""Options of the executor: arguments of `sbatch`, and how the jobs are followed."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt

from ltbench import option

_TIME = re.compile(
    r"(?P<minutes>\d+)(:(?P<seconds>\d+))?"
    r"|((?P<days>\d+)-)?(?P<day_hours>\d+)(:(?P<day_minutes>\d+)(:(?P<day_seconds>\d+))?)?"
)
_UNITS = (("day_seconds", 1), ("day_minutes", 60), ("day_hours", 3600), ("days", 86400))


@dataclass(frozen=True)
class SlurmOptions:
    """Options of the Slurm executor."""

    partition: str | None = option(None, "partition of the jobs; none: the cluster's default")
    account: str | None = option(None, "account that the jobs are charged to")
    qos: str | None = option(None, "quality of service")
    time: str = option(
        "auto",
        "time limit, as sbatch writes it: 90, 2:30:00, 1-12; auto: twice the forecast and 10 "
        "minutes, where there is a forecast",
    )
    memory: str | None = option(None, "memory of a job: 16G; none: the cluster's default")
    cpus: Annotated[int, Ge(1)] = option(4, "CPU cores of a job")
    gpus: Annotated[int, Ge(0)] | None = option(
        None, "GPUs of a job; none: those that the run asks for with --device cuda"
    )
    constraint: str | None = option(None, "features of the nodes")
    exclude: str | None = option(None, "nodes that are not used")
    setup: str = option("", "lines of bash before a run: module load, source")
    extra: str = option("", "further arguments of sbatch, as in a shell")
    max_jobs: Annotated[int, Ge(1)] | None = option(
        None, "jobs of an array that run at the same time; none: --jobs, or as many as the cluster"
    )
    max_queued: Annotated[int, Ge(1)] = option(1000, "jobs that wait or run at the same time")
    poll_seconds: Annotated[float, Gt(0)] = option(
        10.0, "seconds between two questions to the controller, each about all jobs"
    )
    log_folder: Path | None = option(
        None, "folder of scripts and logs; none: .jobs below the folder of runs"
    )

    def __post_init__(self) -> None:
        """Refuses what sbatch could not read.

        Raises:
            ValueError: The time or the further arguments cannot be read.
        """
        if self.time != "auto" and limit_seconds(self.time) is None:
            raise ValueError(
                f'time: expected "auto", minutes, hours:minutes:seconds or days-hours, '
                f'got "{self.time}"'
            )
        try:
            shlex.split(self.extra)
        except ValueError as error:
            raise ValueError(f"extra: {str(error).lower()}") from error


def limit_seconds(text: str) -> int | None:
    """Returns a time limit in seconds; None where sbatch could not read it.

    >>> [limit_seconds(text) for text in ("90", "5:30", "2:30:00", "1-12", "1-0:30", "soon")]
    [5400, 330, 9000, 129600, 88200, None]
    """
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    parts = {name: int(value) for name, value in found.groupdict().items() if value is not None}
    if "minutes" in parts:
        return parts["minutes"] * 60 + parts.get("seconds", 0)
    if "days" not in parts and "day_seconds" not in parts:
        return None
    return sum(parts.get(name, 0) * seconds for name, seconds in _UNITS)
