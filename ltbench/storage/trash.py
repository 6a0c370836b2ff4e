"""Trash of a store: run directories that were removed, until the trash is emptied.

```
<out>/.trash/<date>T<time>-<hash>/    a run directory, as it was
```

Folders whose name begins with a dot are not searched for runs: a run in the trash is in no
comparison, leaderboard or report. Its directory can be given by its path.
"""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass
from pathlib import Path

from ltbench.errors import BusyError, RunError
from ltbench.io.files import remove
from ltbench.io.interrupts import check, deferred
from ltbench.storage.files import make_folder
from ltbench.storage.run_directory import RunDirectory
from ltbench.storage.run_folder import changing


@dataclass(frozen=True)
class Trash:
    """Trash of one store.

    Args:
        store: Folder of the run directories.
    """

    store: Path

    @property
    def folder(self) -> Path:
        """Folder of the removed run directories, which may be missing."""
        return self.store / ".trash"

    def put(self, path: Path) -> Path:
        """Moves a run directory into the trash, in one step.

        Args:
            path: Run directory, of a finished run or not.

        Returns:
            Its new path.

        Raises:
            BusyError: A process runs the run, or a grid has claimed it.
            RunError: The directory is a link, is in the trash already, or cannot be moved.
        """
        directory = RunDirectory(path)
        if self.folder.resolve() in path.resolve().parents:
            raise RunError(
                f"{path} is in the trash already",
                hint=f"delete it: ltbench runs rm --empty-trash --out {self.store}",
            )
        try:
            with directory.claim(self.store), directory.lock(self.store), changing(path):
                self._make()
                target = self._free_name(path.name)
                with deferred():
                    path.rename(target)
                return target
        except BusyError as error:
            raise BusyError(f"{path} is busy: {error.message}", hint=error.hint) from error

    def entries(self) -> list[Path]:
        """Returns the removed run directories, the first removed one first.

        Raises:
            RunError: The trash is a link, or cannot be listed.
        """
        self._expect_own()
        with changing(self.folder):
            return sorted(self.folder.iterdir()) if self.folder.is_dir() else []

    def delete(self, entry: Path) -> None:
        """Deletes a removed run directory for good.

        Args:
            entry: One of `entries`.

        Raises:
            RunError: It cannot be deleted.
            Interrupted: A signal has arrived; the entry is kept.
        """
        check()
        with changing(self.folder):
            remove(entry)

    def _make(self) -> None:
        self._expect_own()
        make_folder(self.folder)

    def _expect_own(self) -> None:
        if self.folder.is_symlink():
            raise RunError(f"{self.folder} is a link: expected a directory", hint="remove the link")

    def _free_name(self, name: str) -> Path:
        """Returns a path in the trash that does not exist."""
        stamp = time.strftime("%Y-%m-%dT%H-%M-%S")
        names = itertools.chain([""], (f".{number}" for number in itertools.count(2)))
        return next(
            path
            for more in names
            if not os.path.lexists(path := self.folder / f"{stamp}-{name}{more}")
        )


def size_of(path: Path) -> int:
    """Returns the size of the files in a folder in bytes; links are not followed.

    Args:
        path: Folder, parts of which may vanish or be unreadable meanwhile.
    """
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118
            except OSError:
                continue
    return total
