"""A command that has left the jobs of a grid in a queue, for the one that follows them.

`--overwrite always` repeats what ended before the command began. Where a command follows the jobs
of an earlier one, what they have finished meanwhile is not to be repeated: it counts from the start
of that command, which is kept in `<out>/.jobs/detached-<digest of the runs>.json` until then.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from ltbench.contexts import ExecutorContext
from ltbench.storage.files import make_folder, write_atomically, writing
from ltbench.storage.run_directory import file_clock


@dataclass(frozen=True)
class GridCommand:
    """A `ltbench grid run`.

    Args:
        id: Random text that all requests of the command have.
        start_time: Start on the clock of the file system, in seconds since the epoch.
    """

    id: str
    start_time: float

    @classmethod
    def start(cls, out: Path) -> Self:
        """Returns a new command.

        Raises:
            RunError: The folder of the run directories cannot be written to.
        """
        return cls(secrets.token_hex(8), file_clock(out))


@dataclass(frozen=True)
class DetachedCommand:
    """The last command that left jobs of a grid, where there is one.

    Args:
        path: File about it.
    """

    path: Path

    @classmethod
    def of(cls, out: Path, hashes: Iterable[str]) -> Self:
        """Returns that of a grid.

        Args:
            out: Folder of the run directories.
            hashes: Hashes of all its runs.
        """
        digest = hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()[:12]
        folder = ExecutorContext(jobs=None, device="auto", out=out).folder
        return cls(folder / f"detached-{digest}.json")

    def read(self) -> GridCommand | None:
        """Returns the command; None where no jobs were left."""
        try:
            about = json.loads(self.path.read_text(encoding="utf-8"))
            return GridCommand(str(about["id"]), float(about["start_time"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, command: GridCommand) -> None:
        """Keeps a command.

        Raises:
            RunError: The file cannot be written.
        """
        make_folder(self.path.parent)
        write_atomically(self.path, json.dumps(asdict(command), indent=2).encode())

    def forget(self) -> None:
        """Deletes the file: a later command begins anew."""
        with writing(self.path):
            self.path.unlink(missing_ok=True)
