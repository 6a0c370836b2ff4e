"""Processes of Python that are measured: time, memory, and what they print."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class MeasuredProcess:
    """A process that ended without an error.

    Args:
        output: Standard output.
        figures: Elapsed `seconds`, `cpu_seconds` of the process and of those that it waited for,
            and `peak_mb` of its memory. Elapsed seconds depend on whatever else the machine does.
    """

    output: str
    figures: dict[str, float]


def measure(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path = ROOT
) -> MeasuredProcess:
    """Runs Python to its end.

    Args:
        arguments: Arguments of Python.
        environment: Variables besides those of this process.
        folder: Working directory.

    Raises:
        SystemExit: The process failed; with the end of its error output.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=output,
            stderr=errors,
            env={**os.environ, **environment},
            cwd=folder,
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            end = errors.read()[-2000:]
            raise SystemExit(f"{' '.join(arguments)}: exit code {process.returncode}\n{end}")
        printed = output.read()
    figures = {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 3),
        "peak_mb": round(used.ru_maxrss / 1024),
    }
    return MeasuredProcess(printed, figures)
