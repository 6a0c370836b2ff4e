"""Processes of a version of ltbench."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import MeasuredProcess, measure


@dataclass(frozen=True)
class Version:
    """A checkout of ltbench whose modules are compiled, as those of an installed package are.

    Args:
        package: The checkout.
        compiled: Folder of its compiled modules.
        threads: Number of threads of a process.
    """

    package: Path
    compiled: Path
    threads: int = 1

    def environment(self) -> dict[str, str]:
        """Returns the variables of a process of this version, besides those of this one."""
        return {
            "PYTHONPATH": os.pathsep.join([str(self.package), str(self.package / "plugins")]),
            "PYTHONPYCACHEPREFIX": str(self.compiled),
            "PYTHONDONTWRITEBYTECODE": "",  # empty: not set
            "OMP_NUM_THREADS": str(self.threads),
            "GOMP_SPINCOUNT": "1000",
            "COLUMNS": "100",
        }

    def run(
        self, arguments: Sequence[str], folder: Path, added: Mapping[str, str] | None = None
    ) -> MeasuredProcess:
        """Runs Python in a folder to its end.

        Args:
            arguments: Arguments of Python.
            folder: Working folder.
            added: Further variables of the environment.

        Raises:
            SystemExit: The process failed.
        """
        started = {"STARTED": repr(time.time()), **(added or {})}
        # Without -P, Python would find modules beside a script first.
        return measure(["-P", *arguments], {**self.environment(), **started}, folder)
