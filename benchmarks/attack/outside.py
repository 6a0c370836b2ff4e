"""Files of the user outside of the store, which no command may change."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from benchmarks.attack.outcome import Outcome

CONTENT = b"kept\n"


@dataclass(frozen=True)
class Outside:
    """A file and a folder that hostile links lead to.

    Args:
        folder: Folder of both.
        digests: Digest of each file by its path.
    """

    folder: Path
    digests: dict[Path, str]

    @classmethod
    def make(cls, above: Path) -> Outside:
        """Makes the files in a new folder `outside`.

        Args:
            above: Existing folder.
        """
        folder = above / "outside"
        names = ("file", "folder/result.json", "folder/deep/file", "folder/training.safetensors")
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(CONTENT)
        return cls(folder, {folder / name: cls.digest(folder / name) for name in names})

    def check_content(self, outcome: Outcome) -> None:
        """Checks that a command left the files as they were.

        Raises:
            Finding: A file was changed or deleted.
        """
        for path, digest in self.digests.items():
            if not path.is_file() or self.digest(path) != digest:
                raise outcome.finding(f"{path} is outside of the store and kept")

    def check(self, outcome: Outcome) -> None:
        """Checks that a command left the files as they were, and no temporary ones.

        Raises:
            Finding: A file was changed or deleted, or a temporary file was left.
        """
        self.check_content(outcome)
        for above, folders, files in os.walk(self.folder.parent):
            for name in (*folders, *files):
                if name.startswith(".") and name.endswith(".part"):
                    raise outcome.finding(f"no temporary file is left: {above}/{name}")

    @staticmethod
    def digest(path: Path) -> str:
        """Returns a digest of a file's content."""
        return hashlib.sha256(path.read_bytes()).hexdigest()
