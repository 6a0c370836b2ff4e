"""Processor time of this process and of its loader workers."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds() -> float:
    """Returns the processor time so far of this process and of its children that still run."""
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    children = [number for task in tasks for number in task.read_text().split()]
    return sum(_seconds(number) for number in (str(os.getpid()), *children))


def _seconds(number: str) -> float:
    try:
        # The name, in brackets, may have spaces; user and system time are fields 14 and 15.
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # it has ended
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS
