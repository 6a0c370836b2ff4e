from __future__ import annotations

import os
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from ltbench.grid.detached_command import DetachedCommand, GridCommand
from ltbench.grid.launch import GridOptions, execute_grid, schedule_grid
from ltbench.grid.scheduler import Scheduler
from tests.grid.grids import Folder
from tests.plugins.fake_slurm import FakeSlurm
from tests.runs import store


def test_what_ends_after_a_command_left_its_jobs_is_not_done_again(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeSlurm.install(tmp_path / "bin", monkeypatch).queue()
    grid = folder.read("seed = [0, 1]\n")

    def schedule(**options: Any) -> Scheduler:
        settings = {"executor.partition": "gpu"}
        given = GridOptions(folder.out, folder.path / "data", "slurm", settings=settings, **options)
        return schedule_grid(grid, folder.registry, given)

    def settled(scheduler: Scheduler) -> list[bool]:
        return [task.settled for task in scheduler.tasks]

    def end(run: int, when: float) -> None:
        path = store(folder.out, grid.runs[run].resolved.spec)
        os.utime(path / "result.json", (when, when))

    for run in (0, 1):
        end(run, time.time() - 100)
    left = schedule(overwrite="always", detach=True)
    assert settled(left) == [False, False]
    end(0, time.time() + 1)
    again = schedule(overwrite="always")
    assert settled(again) == [True, False]
    assert again.options["command_id"] == left.options["command_id"]  # continues its runs
    end(1, time.time() + 1)
    followed = schedule(overwrite="always")
    assert settled(followed) == [True, True]
    assert execute_grid(followed, lambda scheduler: nullcontext(lambda task: None)) is None

    for run in (0, 1):
        end(run, time.time() - 100)
    assert settled(schedule(overwrite="always")) == [False, False]  # begins anew


def test_only_the_same_grid_follows_a_command(tmp_path: Path) -> None:
    command = GridCommand.start(tmp_path)
    kept = DetachedCommand.of(tmp_path, ["a", "b"])
    assert kept.read() is None
    kept.forget()
    kept.write(command)
    assert DetachedCommand.of(tmp_path, ["b", "a"]).read() == command
    assert DetachedCommand.of(tmp_path, ["a"]).read() is None
    kept.path.write_text("{}")
    assert kept.read() is None
