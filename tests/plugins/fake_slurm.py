"""Commands of Slurm that answer what a test has written, and keep what they were asked."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from ltbench.contexts import ExecutorContext
from ltbench.jobs import Job, Resources
from ltbench_plugins.executors import slurm
from ltbench_plugins.executors.slurm.options import SlurmOptions
from ltbench_plugins.executors.slurm.queue import Slurm

# A file NAME.fails has what the command says on stderr before it ends with 1; NAME.says its answer.
COMMAND = """#!/bin/sh
cd {folder}
echo "$@" >> {name}.asked
[ ! -e {name}.fails ] || {{ cat {name}.fails >&2; exit 1; }}
cat {name}.says 2> /dev/null
exit 0
"""


@dataclass
class FakeSlurm:
    """The commands, in a folder that is first on PATH."""

    folder: Path

    @classmethod
    def install(cls, folder: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
        """Writes the commands; there is no accounting, and every job is number 7."""
        folder.mkdir()
        for name in ("sbatch", "squeue", "scancel", "scontrol", "sacct"):
            (folder / name).write_text(COMMAND.format(folder=folder, name=name))
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        fake = cls(folder)
        fake.says("sbatch", "7")
        fake.says("scontrol", "MaxArraySize            = 4")
        fake.fails("sacct", "Slurm accounting storage is disabled")
        return fake

    def says(self, name: str, answer: str) -> None:
        """Sets the answer of a command."""
        (self.folder / f"{name}.says").write_text(answer + "\n")
        (self.folder / f"{name}.fails").unlink(missing_ok=True)

    def fails(self, name: str, answer: str) -> None:
        """Lets a command fail."""
        (self.folder / f"{name}.fails").write_text(answer + "\n")

    def asked(self, name: str) -> list[str]:
        """Returns the arguments of all calls of a command."""
        path = self.folder / f"{name}.asked"
        return path.read_text().splitlines() if path.exists() else []

    def queue(
        self,
        *rows: tuple[str, str, int, str],
        reason: str = "Priority",
        left: str = "1-00:00:00",
    ) -> None:
        """Sets the jobs: id, state, status of the process, and name.

        Args:
            rows: The jobs.
            reason: Why some wait.
            left: Time until their limit, or at their end.
        """
        lines = (
            f"{id:12}|{state:12}|{status:8}|{name:60}|{'n1' if state != 'PENDING' else '':8}|"
            f"{reason if state == 'PENDING' else 'None':20}|2026-05-01T10:00:00|{left:16}|"
            for id, state, status, name in rows
        )
        self.says("squeue", "\n".join(lines))


def built(out: Path = Path("runs"), jobs: int | None = None, **options: object) -> Slurm:
    """Returns an executor that asks the controller at each `wait`."""
    config = SlurmOptions(**{"poll_seconds": 1e-9, **options})  # type: ignore[arg-type]
    return slurm.build(config, ExecutorContext(jobs=jobs, device="cpu", out=out))


def job(name: str, seconds: float | None = None, gpus: int = 0) -> Job:
    """Returns a job."""
    return Job(name, ("run", f"{{'{name}': 1}}"), "", Resources(seconds, gpus), f"cell, {name}")


def submitted(fake: FakeSlurm) -> list[dict[str, str]]:
    """Returns the arguments of each sbatch, by option."""
    calls = [shlex.split(line) for line in fake.asked("sbatch")]
    return [dict(part.partition("=")[::2] for part in call) for call in calls]


def name_of(fake: FakeSlurm, call: int = -1) -> str:
    """Returns the name of the array that a call of sbatch submitted."""
    return submitted(fake)[call]["--job-name"]
