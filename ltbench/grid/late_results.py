"""Results that are not visible yet: a scheduler of jobs is faster than a network file system."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from ltbench.grid.status import RunState
from ltbench.jobs import Ended

VISIBLE_SECONDS = 60.0  # for which clients of NFS cache that a file does not exist


class LateResults:
    """Jobs that ended with success, and whose results are not visible yet."""

    def __init__(self) -> None:
        self._deadlines: dict[str, float] = {}
        self._waiting: list[Ended] = []

    def keep(self, ended: Ended, found: RunState) -> bool:
        """Keeps the end of a job whose result is missing; returns whether to look for it again.

        Args:
            ended: End of the job.
            found: State of its run.
        """
        if ended.code != 0:
            return False
        deadline = self._deadlines.setdefault(ended.job, time.monotonic() + VISIBLE_SECONDS)
        if time.monotonic() >= deadline:
            del self._deadlines[ended.job]
            return False
        with suppress(OSError):  # a listing renews what a client has cached
            os.listdir(found.directory.path)  # noqa: PTH208
        self._waiting.append(ended)
        return True

    def take(self) -> list[Ended]:
        """Returns the kept ends, to look for their results again."""
        waiting, self._waiting = self._waiting, []
        return waiting
