"""Batches: jobs with the same needs, submitted as one array.

```
<folder>/slurm/<token>/
    batch.json       names and titles of the jobs, and the folder of their runs
    commands         the command of each job, a line each
    script.sh        the script, with the command that submitted it
    <index>.log      output of each job
```

The token is in the name of the array's job: any later command finds the runs of a job by it.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import shlex
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ltbench.errors import RunError
from ltbench.jobs import Job
from ltbench_plugins.executors.slurm.options import SlurmOptions, limit_seconds

PREFIX = "ltbench-"
_START_SECONDS = 600  # added to the forecast: start of the process, a slow disk
_STEP_SECONDS = 900  # to which a forecast is rounded up, so that there are few arrays
_WARNING_SECONDS = 90  # from the interruption of a run until the time limit
_SHORT_SECONDS = 360  # Slurm may interrupt a minute earlier: below this limit, it does at the limit

_SCRIPT = """\
#!/bin/bash
# {command}
{setup}
export OMP_NUM_THREADS="${{OMP_NUM_THREADS:-${{SLURM_CPUS_PER_TASK:-1}}}}"
command=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" {commands})
[ -n "$command" ] || exit 130  # the file is not visible yet: another job may start the run
eval "exec $command"  # exec: a signal of Slurm reaches the run
"""


@dataclass(frozen=True, order=True)
class Needs:
    """Needs of the jobs of a batch.

    Args:
        seconds: Time limit in seconds; 0 for the partition's own.
        gpus: Number of GPUs.
    """

    seconds: int
    gpus: int

    @classmethod
    def of(cls, job: Job, config: SlurmOptions, timeouts: int) -> Needs:
        """Returns the needs of a job.

        Args:
            job: The job.
            config: Options of the executor.
            timeouts: Number of its earlier time limits: each one doubles the next.
        """
        gpus = job.resources.gpus if config.gpus is None else config.gpus
        expected = job.resources.seconds
        if config.time != "auto":
            return cls(limit_seconds(config.time) or 0, gpus)
        if expected is None:
            return cls(0, gpus)
        wanted = (2 * expected + _START_SECONDS) * 2**timeouts
        return cls(math.ceil(wanted / _STEP_SECONDS) * _STEP_SECONDS, gpus)


@dataclass(frozen=True)
class Batch:
    """Jobs of one array.

    Args:
        folder: Folder of its files.
        names: Names of the jobs by index.
        titles: Titles of the jobs by index.
        out: Folder of their runs.
    """

    folder: Path
    names: Sequence[str]
    titles: Sequence[str]
    out: str

    @property
    def token(self) -> str:
        """Random name of the batch."""
        return self.folder.name

    @property
    def script(self) -> Path:
        """The script."""
        return self.folder / "script.sh"

    def log(self, index: int) -> Path:
        """Returns the path of a job's output."""
        return self.folder / f"{index}.log"

    @classmethod
    def write(cls, folder: Path, jobs: Sequence[Job], out: Path) -> Batch:
        """Writes the files of a new batch, but for its script.

        Args:
            folder: Folder of all batches.
            jobs: The jobs.
            out: Folder of the run directories.

        Raises:
            RunError: They cannot be written.
        """
        token = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
        names, titles = [job.name for job in jobs], [job.title for job in jobs]
        batch = cls(folder / token, names, titles, str(out.resolve()))
        about = {key: value for key, value in asdict(batch).items() if key != "folder"}
        try:
            batch.folder.mkdir(parents=True)
            lines = (shlex.join(job.command) + "\n" for job in jobs)
            (batch.folder / "commands").write_text("".join(lines), encoding="utf-8")
            (batch.folder / "batch.json").write_text(json.dumps(about), encoding="utf-8")
        except OSError as error:
            raise RunError(
                f"{folder} cannot be written: {error.strerror or error}",
                hint="choose a writable folder with --out, or with executor.log_folder",
            ) from error
        return batch

    @classmethod
    def read(cls, folder: Path, token: str, out: Path) -> Batch | None:
        """Reads a batch; returns None where it is of another folder of runs, or not there."""
        try:
            about = json.loads((folder / token / "batch.json").read_text(encoding="utf-8"))
            batch = cls(folder / token, about["names"], about["titles"], about["out"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return batch if batch.out == str(out.resolve()) else None

    def arguments(self, config: SlurmOptions, needs: Needs, at_once: int | None) -> list[str]:
        """Returns the arguments of `sbatch`, and writes the script.

        Args:
            config: Options of the executor.
            needs: Needs of the jobs.
            at_once: Largest number of jobs that run at the same time; None for no limit.
        """
        limit = "" if at_once is None else f"%{at_once}"
        folder = str(self.folder).replace("%", "%%")
        arguments = [
            f"--job-name={PREFIX}{self.token}",
            f"--array=0-{len(self.names) - 1}{limit}",
            f"--chdir={Path.cwd()}",
            f"--output={folder}/%a.log",
            "--open-mode=append",
            "--requeue",
            "--nodes=1",
            "--ntasks=1",
            f"--cpus-per-task={config.cpus}",
        ]
        named = {
            "partition": config.partition,
            "account": config.account,
            "qos": config.qos,
            "mem": config.memory,
            "constraint": config.constraint,
            "exclude": config.exclude,
            "gres": f"gpu:{needs.gpus}" if needs.gpus else None,
            "time": str(math.ceil(needs.seconds / 60)) if needs.seconds else None,
        }
        arguments += [f"--{name}={value}" for name, value in named.items() if value is not None]
        if not 0 < needs.seconds < _SHORT_SECONDS:
            arguments.append(f"--signal=B:TERM@{_WARNING_SECONDS}")
        arguments += shlex.split(config.extra)
        command = shlex.join(["sbatch", *arguments, str(self.script)])
        commands = shlex.quote(str(self.folder / "commands"))
        text = _SCRIPT.format(command=command, setup=config.setup, commands=commands)
        self.script.write_text(text, encoding="utf-8")
        return arguments

    def link(self, folder: Path) -> None:
        """Gives each job's output the name of its run, in a folder of links."""
        with suppress(OSError):  # a convenience
            folder.mkdir(parents=True, exist_ok=True)
            for index, name in enumerate(self.names):
                new = folder / f".{name}-{self.token}"
                new.symlink_to(self.log(index))
                os.replace(new, folder / f"{name}.log")  # noqa: PTH105
