"""Attempts to execute a run: fencing of a process that another one has replaced.

A lock file keeps two processes apart where file locks work. On a shared file system they may not:
the server forgets the locks of a node that it cannot reach, while the process there goes on. So
each attempt writes a random token into the run directory, and compares it before it writes a
checkpoint or the result.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Self

from pydantic import Field

from ltbench.errors import BusyError, DataError, RunError
from ltbench.io.batch_job import batch_job, is_restarted_job
from ltbench.io.interrupts import check
from ltbench.storage.parsing import read_stored
from ltbench.storage.stored_file import StoredFile

PREDECESSOR_SECONDS = 120.0
"""Time that a killed process keeps a lock: a server of files frees those of a dead node late."""

_POLL_SECONDS = 0.5  # between attempts to get a lock


class Attempt(StoredFile):
    """Last process that has begun, or continued, a run."""

    FILE = "attempt.json"

    token: str = Field(description="random text: a process that finds another one stops")
    command_id: str = Field(
        description="random text of the `ltbench grid run` that requested the run; empty for "
        "`ltbench run`"
    )
    job: str = Field(description="job of a cluster's queue; empty outside of one")
    host: str = Field(description="name of the machine")
    pid: int = Field(description="process id on that machine")

    @classmethod
    def start(cls, command_id: str) -> Self:
        """Returns a new attempt of this process.

        Args:
            command_id: Text that the command gave all its requests; empty for none.
        """
        return cls(
            token=secrets.token_hex(16),
            command_id=command_id,
            job=batch_job(),
            host=socket.gethostname(),
            pid=os.getpid(),
        )

    def is_continued(self, command_id: str) -> bool:
        """Returns whether this process is a later attempt for the same request.

        The command started the run again, or the queue restarted the job that executes it.

        Args:
            command_id: Text that the command gave all its requests; empty for none.
        """
        if command_id and command_id == self.command_id:
            return True
        return is_restarted_job() and self.job == batch_job()


def is_continued(folder: Path, command_id: str) -> bool:
    """Returns whether this process continues the last attempt, for the same request.

    Args:
        folder: Run directory.
        command_id: Text that the command gave all its requests; empty for none.
    """
    try:
        last = read_stored(folder, Attempt)
    except DataError:  # damaged: a new attempt replaces it
        return False
    return last is not None and last.is_continued(command_id)


def expect_token(folder: Path, token: str) -> None:
    """Checks that no other process has begun the run since this one did.

    Args:
        folder: Run directory.
        token: Token of this attempt.

    Raises:
        BusyError: The token was replaced or removed.
        RunError: The folder was deleted or moved.
        DataError: `attempt.json` is damaged.
    """
    last = read_stored(folder, Attempt)
    if last is None and not folder.is_dir():
        raise RunError(f"{folder} was deleted or moved", hint="start the same command again")
    if last is None or last.token != token:
        other = "" if last is None else f": process {last.pid} on {last.host}"
        raise BusyError(
            f"another process has begun {folder}{other}",
            hint="check the file locks of this folder with `ltbench doctor --cluster`",
        )


@contextmanager
def after_predecessor(
    lock: Callable[[], AbstractContextManager[None]], folder: Path, command_id: str
) -> Iterator[None]:
    """Holds a lock, and waits for it where an earlier attempt for the same request holds it.

    Args:
        lock: Function that returns the lock's block, which raises a BusyError at once.
        folder: Run directory.
        command_id: Text that the command gave all its requests; empty for none.

    Raises:
        BusyError: Another process holds the lock, or the earlier attempt does not end.
        Interrupted: A signal arrived while the lock was waited for.
    """
    until = time.monotonic() + PREDECESSOR_SECONDS
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(lock())
                break
            except BusyError:
                if time.monotonic() > until or not is_continued(folder, command_id):
                    raise
            check()
            time.sleep(_POLL_SECONDS)
        yield
