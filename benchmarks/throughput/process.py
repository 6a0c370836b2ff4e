"""Measurements in processes of their own, so that memory peaks, threads and imports do not mix.

This module imports no torch: a child's peak memory includes its parent's memory at the start.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent

Record = dict[str, Any]
"""Result of a measurement, by figure."""


@dataclass(frozen=True)
class Measurement:
    """Function `run` of a module, with its arguments.

    Args:
        module: Module below `benchmarks.throughput`, or one whose name begins with `benchmarks`.
        arguments: Arguments as JSON types.
        once: Whether one round is enough, because nothing is compared with it.
    """

    module: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    once: bool = False

    def take(self, timeout: float | None = None) -> Record:
        """Returns the record of the function, with the duration of its process.

        Args:
            timeout: Longest duration in seconds; None for any.

        Raises:
            RuntimeError: The process failed, or it took too long.
        """
        whole = self.module.startswith("benchmarks.")
        module = self.module if whole else f"{__package__}.{self.module}"
        text = json.dumps(dict(self.arguments))
        # ltbench's command sets this for itself, to spare other processes; peers do not.
        environment = {"GOMP_SPINCOUNT": "1000"} if ".measured." in module else {}
        command = [sys.executable, "-m", f"{__package__}.once", module, text]
        done = run_command(command, environment, timeout)
        record: Record = json.loads(done.output.splitlines()[-1])
        return {**record, "wall_seconds": done.seconds}


@dataclass(frozen=True)
class CompletedCommand:
    """Outcome of a command.

    Args:
        output: Standard output.
        seconds: Duration in seconds.
    """

    output: str
    seconds: float


def run_command(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> CompletedCommand:
    """Runs a command to its end, with its start time in the variable STARTED.

    Raises:
        RuntimeError: The command failed, and the message has the end of its error output; or it
            took longer than `timeout` seconds, and was killed with its child processes.
    """
    variables = {**os.environ, "HF_HUB_OFFLINE": "1", **(environment or {})}
    variables["STARTED"] = repr(time.time())
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=timeout)
    except (subprocess.TimeoutExpired, KeyboardInterrupt) as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, KeyboardInterrupt):
            raise
        raise RuntimeError(f"stopped after {timeout:.0f} s: {' '.join(command)}") from None
    seconds = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{errors[-4000:]}")
    return CompletedCommand(output, seconds)
