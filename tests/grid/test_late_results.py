from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from ltbench.errors import RunError
from ltbench.grid import late_results
from ltbench.jobs import Ended
from tests.grid.grids import Folder, InProcess


@dataclass
class Late(InProcess):
    """An executor that reports the end of a job before its files are visible."""

    hidden: Path | None = None

    def wait(self, seconds: float) -> Sequence[Ended]:
        if self.hidden is not None:
            self.hidden.rename(self.hidden.with_name("result.json"))
            self.hidden = None
        ended = super().wait(seconds)
        for path in self.folder.rglob("result.json") if ended else ():
            self.hidden = path.rename(path.with_name("hidden"))
        return ended

    folder: Path = Path()


def test_a_result_that_becomes_visible_late_is_done(folder: Folder) -> None:
    executor = Late(folder=folder.out)
    (task,) = folder.run(folder.read("seed = 0\n"), executor)
    assert task.state == "done"
    assert len(executor.started) == 1
    assert task.found.directory.failure() is None


def test_success_without_a_result_is_a_crash_after_a_while(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_results, "VISIBLE_SECONDS", 0.05)
    executor = InProcess(before=lambda name: Ended(name, 0, "completed"))
    (task,) = folder.run(folder.read("seed = 0\n"), executor)
    assert (task.state, len(executor.started)) == ("failed", 1)
    assert task.found.error == "its process ended without a result (completed)"


def test_a_lock_that_a_job_elsewhere_acquires_ends_the_grid(folder: Folder) -> None:
    def acquire(name: str) -> Ended:
        (lock,) = (folder.out / ".locks/probes").glob("*.lock")
        lock.with_suffix(".acquired").write_text("node7\n")
        return Ended(name, 130, "file locks")

    with pytest.raises(RunError, match="do not reach from node to node: node7"):
        folder.run(folder.read("seed = [0, 1]\n"), InProcess(before=acquire))
    assert not list(folder.out.rglob("failure.json"))
