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
}
_MAX_IDS = 500  # of one scancel
_DEFAULT_ARRAY_SIZE = 1001
# Words of sbatch about a state that passes: the controller is away, or a limit of waiting jobs.
_PASSING = (
    "unable to contact slurm controller",
    "socket timed out",
    "connection refused",
    "connection timed out",
    "communication connection failure",
    "zero bytes were transmitted",
    "temporarily unable to accept",
    "resource temporarily unavailable",
    "submitjob",
    "job submit limit",
    "slurm backup controller in standby mode",
)


class Silent(Exception):
    """The controller did not answer, or cannot take a job now; the message is its own."""


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
    """

    id: str
    state: str
    status: int
    name: str
    place: str = ""
    reason: str = ""
    start: float | None = None

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
        id, state, status, name, place, reason, start = fields[: len(_FIELDS)]
        reason = "" if reason == "None" else reason
        return cls(id, state, int(status), name, place, reason, _time(start))


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
            Silent: The controller cannot take the job now, and may have taken it.
            RunError: The job is refused.
        """
        command = ["sbatch", "--parsable", *arguments, str(script)]
        done = _process(command)
        if done.returncode == 0:
            return done.stdout.strip().partition(";")[0]
        said = _message(done)
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
        for first in range(0, len(ids), _MAX_IDS):
            _run(["scancel", *ids[first : first + _MAX_IDS]])

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

    def accounted(self, id: str) -> tuple[str, int] | None:
        """Returns state and status of a job that the controller has forgotten.

        It is None where there is no accounting, which is then not asked again.
        """
        if not self._accounting:
            return None
        done = _process(["sacct", "-X", "-n", "-P", "-j", id, "-o", "State,ExitCode"])
        if done.returncode != 0:
            self._accounting = False
            return None
        state, _, code = done.stdout.partition("\n")[0].strip().partition("|")
        exit_code, _, number = code.partition(":")
        if not state or not exit_code.isdigit() or not number.isdigit():
            return None
        return state.split()[0], int(exit_code) << 8 | int(number)


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
