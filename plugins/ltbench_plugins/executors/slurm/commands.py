"""Commands of Slurm, and what they answer."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ltbench.errors import RunError
from ltbench_plugins.executors.slurm.options import limit_seconds

COMMAND_SECONDS = 20.0  # for which a command may take: Ctrl-C waits for it
_NEEDED = ("sbatch", "squeue", "scancel", "scontrol")
_FIELDS = {
    "JobArrayID": 40,
    "State": 20,
    "exit_code": 12,
    "Name": 60,
    "NodeList": 80,
    "Reason": 80,
    "StartTime": 24,
    "TimeLeft": 16,
}
MAX_IDS = 500  # of one command
_ACCOUNTED = "JobID,State,ExitCode,ElapsedRaw,TimelimitRaw"
_DEFAULT_ARRAY_SIZE = 1001
_FULL = "submitjob"  # in the names of all limits of waiting jobs: QOSMaxSubmitJobPerUserLimit
# Words of sbatch about a state that passes: the controller is away, or overloaded.
_PASSING = (
    "unable to contact slurm controller",
    "socket timed out",
    "connection refused",
    "connection timed out",
    "communication connection failure",
    "zero bytes were transmitted",
    "temporarily unable to accept",
    "resource temporarily unavailable",
    "slurm backup controller in standby mode",
)


class Silent(Exception):
    """The controller did not answer, or cannot take a job now; the message is its own."""


class Full(Silent):
    """The controller has refused a job, because too many are waiting."""


@dataclass(frozen=True)
class Row:
    """A job as `squeue` shows it.

    Args:
        id: Its id: "123_4".
        state: Its state: "PENDING", ...
        status: Status of its process, as `wait` returns it.
        name: Its name.
        place: The node that runs it, or has run it.
        reason: Reason for its state.
        start: Its start, expected or past, in seconds since the epoch; None where it is not known.
        left: Seconds until its time limit, or at its end; None where it has no limit.
    """

    id: str
    state: str
    status: int
    name: str
    place: str = ""
    reason: str = ""
    start: float | None = None
    left: float | None = None

    @property
    def index(self) -> int | None:
        """Index of the job in its array; None where it is in none."""
        index = self.id.partition("_")[2]
        return int(index) if index.isdigit() else None

    @classmethod
    def read(cls, line: str) -> Row | None:
        """Reads a line of `squeue`; returns None for anything else."""
        fields = [field.strip() for field in line.split("|")]
        if len(fields) < len(_FIELDS) or not fields[2].isdigit():
            return None
        id, state, status, name, place, reason, start, left = fields[: len(_FIELDS)]
        reason = "" if reason == "None" else reason
        seconds = 0 if left == "INVALID" else limit_seconds(left)  # INVALID: below zero
        return cls(id, state, int(status), name, place, reason, _time(start), seconds)

    @classmethod
    def accounted(cls, line: str) -> Row | None:
        """Reads a line of `sacct`; returns None for anything else."""
        id, state, status, elapsed, limit, *_ = [*line.strip().split("|"), *[""] * 5]
        code, _, number = status.partition(":")
        if not state or not code.isdigit() or not number.isdigit():
            return None
        limited = elapsed.isdigit() and limit.isdigit()
        left = int(limit) * 60 - int(elapsed) if limited else None
        return cls(id, state.split()[0], int(code) << 8 | int(number), "", left=left)


def _time(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:  # N/A
        return None


class Commands:
    """Slurm's commands on this machine.

    Raises:
        RunError: A command is missing.
    """

    def __init__(self) -> None:
        missing = [name for name in _NEEDED if shutil.which(name) is None]
        if missing:
            raise RunError(
                f"Slurm: {', '.join(missing)} not found on PATH",
                hint="start the grid on a login node of the cluster; see `ltbench docs cluster`",
            )
        self._max_array: int | None = None
        self._accounting = shutil.which("sacct") is not None

    def queue(self) -> list[Row]:
        """Returns all jobs of this user that the controller knows, ended ones among them.

        Raises:
            Silent: The controller did not answer.
        """
        columns = ",".join(f"{name}:{width}|" for name, width in _FIELDS.items())
        user = f"--user={os.getuid()}"
        output = _run(["squeue", user, "--array", "--noheader", "--states=all", "-O", columns])
        rows = (Row.read(line) for line in output.splitlines())
        return [row for row in rows if row is not None]

    def submit(self, arguments: Sequence[str], script: Path) -> str:
        """Submits a script; returns the id of the job.

        Raises:
            Full: Too many jobs are waiting.
            Silent: The controller cannot take the job now, and may have taken it.
            RunError: The job is refused.
        """
        command = ["sbatch", "--parsable", *arguments, str(script)]
        done = _process(command)
        if done.returncode == 0:
            return done.stdout.strip().partition(";")[0]
        said = _message(done)
        if _FULL in said.lower():
            raise Full(said)
        if any(words in said.lower() for words in _PASSING):
            raise Silent(said)
        raise RunError(
            f"Slurm refused a job: {said}",
            hint=f"correct the options executor.*; the script is {script}",
        )

    def cancel(self, ids: Sequence[str]) -> None:
        """Cancels jobs.

        Raises:
            Silent: The controller did not answer.
        """
        for first in range(0, len(ids), MAX_IDS):
            _run(["scancel", *ids[first : first + MAX_IDS]])

    def max_array(self) -> int:
        """Returns the largest number of jobs in an array.

        Raises:
            Silent: The controller did not answer.
        """
        if self._max_array is None:
            size = _DEFAULT_ARRAY_SIZE
            for line in _run(["scontrol", "show", "config"]).splitlines():
                key, _, value = line.partition("=")
                if key.strip() == "MaxArraySize" and value.strip().isdigit():
                    size = max(1, int(value))
            self._max_array = size
        return self._max_array

    def accounted(self, ids: Sequence[str]) -> dict[str, Row]:
        """Returns those jobs by id, at most `MAX_IDS`, that accounting knows.

        Accounting that does not answer is not asked again.

        Raises:
            Silent: It takes too long.
        """
        if not ids or not self._accounting:
            return {}
        done = _process(["sacct", "-X", "-n", "-P", "-j", ",".join(ids), "-o", _ACCOUNTED])
        if done.returncode != 0:
            self._accounting = False
            return {}
        rows = (Row.accounted(line) for line in done.stdout.splitlines())
        return {row.id: row for row in rows if row is not None}


def _run(command: Sequence[str]) -> str:
    done = _process(command)
    if done.returncode != 0:
        raise Silent(_message(done))
    return done.stdout


def _process(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_SECONDS,
            env=dict(_environment(os.environ)),
            start_new_session=True,  # Ctrl-C reaches the grid alone
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Silent(f"{command[0]}: {error}") from error


def _environment(environment: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Yields the environment without the job that this command may run in itself."""
    for name, value in environment.items():
        if name == "SLURM_CONF" or not name.startswith(("SLURM_", "SQUEUE_")):
            yield name, value


def _message(done: subprocess.CompletedProcess[str]) -> str:
    said = " ".join((done.stderr or done.stdout).split())
    return said or f"exit code {done.returncode}"
