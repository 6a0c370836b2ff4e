"""Each measurement in a fresh process: memory peaks, threads and imports do not mix.

This side imports no torch: a child's peak memory counts what its parent held when it was started.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent

Record = dict[str, Any]
"""What a measurement found, by figure."""


@dataclass(frozen=True)
class Measurement:
    """The function `run` of a module, and its arguments.

    Args:
        module: Below `benchmarks.throughput`.
        arguments: Arguments as JSON values.
        once: Whether one round is enough: nothing is compared with it.
    """

    module: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    once: bool = False

    def take(self) -> Record:
        """Returns what it found, and how long its process took."""
        module = f"{__package__}.{self.module}"
        text = json.dumps(dict(self.arguments))
        # The command ltbench sets this for itself, for the sake of its neighbours; peers do not.
        polite = {"GOMP_SPINCOUNT": "1000"} if self.module.startswith("measured.") else {}
        done = ended([sys.executable, "-m", f"{__package__}.once", module, text], polite)
        record: Record = json.loads(done.output.splitlines()[-1])
        return {**record, "wall_seconds": done.seconds}


@dataclass(frozen=True)
class Ended:
    """A command that has ended.

    Args:
        output: Its standard output.
        seconds: Duration of the process.
    """

    output: str
    seconds: float


def ended(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Ended:
    """Runs a command to its end, and passes it its start time.

    Raises:
        RuntimeError: The command failed; the message has the end of its stderr.
    """
    told = {**os.environ, "HF_HUB_OFFLINE": "1", **(environment or {})}
    told["STARTED"] = repr(time.time())
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    output, complaint = process.communicate()
    seconds = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{complaint[-4000:]}")
    return Ended(output, seconds)
