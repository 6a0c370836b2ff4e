"""Processes that descend from one process, whatever their parent, session and group are now."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

VARIABLE = "LTBENCH_PLUGIN_TRIAL"
"""Environment variable that the processes of a trial inherit."""


def environment(token: str) -> dict[str, str]:
    """Returns the environment of a process whose descendants are found by a token."""
    return {**os.environ, VARIABLE: token}


def is_marked() -> bool:
    """Returns whether this process belongs to a trial."""
    return VARIABLE in os.environ


def marked(token: str) -> list[int]:
    """Returns the process numbers of this user's running processes with a token."""
    sought = f"{VARIABLE}={token}".encode()
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):  # another user's, or one that has ended
                if sought in (process / "environ").read_bytes().split(b"\0"):
                    found.append(int(process.name))
    return found


def kill_marked(token: str) -> None:
    """Kills the processes with a token, and those that they start in the meantime."""
    while found := marked(token):
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
