"""Processes of a version of ltbench, and what they use."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Used:
    """Resources that a process used until its end, or until its first training step."""

    cpu_seconds: float
    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Version:
    """A checkout of ltbench whose modules are compiled, as those of an installed package are.

    Args:
        package: The checkout.
        compiled: Folder of its compiled modules.
    """

    package: Path
    compiled: Path

    def environment(self) -> dict[str, str]:
        """Returns the environment of a process of this version."""
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        path = os.pathsep.join([str(self.package), str(self.package / "plugins")])
        compiled = str(self.compiled)
        settings = {"OMP_NUM_THREADS": "1", "GOMP_SPINCOUNT": "1000", "COLUMNS": "100"}
        return {**kept, "PYTHONPATH": path, "PYTHONPYCACHEPREFIX": compiled, **settings}

    def run(
        self, arguments: Sequence[str], folder: Path, added: Mapping[str, str] | None = None
    ) -> Used:
        """Runs Python in a folder to its end.

        Args:
            arguments: Arguments of Python.
            folder: Working folder.
            added: Further variables of the environment.

        Raises:
            SystemExit: The process failed.
        """
        environment = {**self.environment(), "STARTED": repr(time.time()), **(added or {})}
        start = time.perf_counter()
        process = subprocess.Popen(
            # Without -P, Python would find modules beside a script first.
            [sys.executable, "-P", *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"python {' '.join(arguments)}: exit code {process.returncode}")
        return Used(
            cpu_seconds=used.ru_utime + used.ru_stime,
            seconds=time.perf_counter() - start,
            peak_mb=used.ru_maxrss / 1024,
        )
