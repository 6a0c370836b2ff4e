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
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ltbench.errors import RunError
from ltbench.jobs import Job
from ltbench_plugins.executors.slurm.limits import WARNING_SECONDS, Needs
from ltbench_plugins.executors.slurm.options import SlurmOptions

PREFIX = "ltbench-"
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


@dataclass(frozen=True)
class Batch:
    """Jobs of one array.

    Args:
        folder: Folder of its files.
        names: Names of the jobs by index.
        titles: Titles of the jobs by index.
        out: Folder of their runs.
        seconds: Their time limit in seconds; 0 for the partition's own.
    """

    folder: Path
    names: Sequence[str]
    titles: Sequence[str]
    out: str
    seconds: int = 0

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
    def write(cls, folder: Path, jobs: Sequence[Job], out: Path, seconds: int) -> Batch:
        """Writes the files of a new batch, but for its script.

        Args:
            folder: Folder of all batches.
            jobs: The jobs.
            out: Folder of the run directories.
            seconds: Their time limit in seconds; 0 for the partition's own.

        Raises:
            RunError: They cannot be written.
        """
        token = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
        names, titles = [job.name for job in jobs], [job.title for job in jobs]
        batch = cls(folder / token, names, titles, str(out.resolve()), seconds)
        about = {key: value for key, value in asdict(batch).items() if key != "folder"}
        with _written(folder):
            batch.folder.mkdir(parents=True)
            lines = (shlex.join(job.command) + "\n" for job in jobs)
            (batch.folder / "commands").write_text("".join(lines), encoding="utf-8")
            (batch.folder / "batch.json").write_text(json.dumps(about), encoding="utf-8")
        return batch

    @classmethod
    def read(cls, folder: Path, token: str, out: Path) -> Batch | None:
        """Reads a batch; returns None where it is of another folder of runs, or not there."""
        try:
            about = json.loads((folder / token / "batch.json").read_text(encoding="utf-8"))
            batch = cls(folder / token, **about)
        except (OSError, ValueError, TypeError):
            return None
        return batch if batch.out == str(out.resolve()) else None

    def arguments(self, config: SlurmOptions, needs: Needs, at_once: int | None) -> list[str]:
        """Returns the arguments of `sbatch`, but for the script.

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
            arguments.append(f"--signal=B:TERM@{WARNING_SECONDS}")
        return [*arguments, *shlex.split(config.extra)]

    def write_script(self, setup: str, arguments: Sequence[str]) -> None:
        """Writes the script.

        Args:
            setup: Lines of bash before a run.
            arguments: Arguments of `sbatch`, which it begins with as a comment.

        Raises:
            RunError: It cannot be written.
        """
        command = shlex.join(["sbatch", *arguments, str(self.script)])
        commands = shlex.quote(str(self.folder / "commands"))
        text = _SCRIPT.format(command=command, setup=setup, commands=commands)
        with _written(self.folder):
            self.script.write_text(text, encoding="utf-8")

    def remove(self) -> None:
        """Removes the files of a batch that was not submitted."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def link(self, folder: Path) -> None:
        """Gives each job's output the name of its run, in a folder of links."""
        with suppress(OSError):  # a convenience
            folder.mkdir(parents=True, exist_ok=True)
            for index, name in enumerate(self.names):
                new = folder / f".{name}-{self.token}"
                new.symlink_to(self.log(index))
                os.replace(new, folder / f"{name}.log")  # noqa: PTH105


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Reports a folder that cannot be written.

    Raises:
        RunError: The block raised an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written: {error.strerror or error}",
            hint="free space, or choose a writable folder with --out or executor.log_folder",
        ) from error
