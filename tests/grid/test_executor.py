from __future__ import annotations

from typing import Any

import pytest

from ltbench.engine.tracking import choose_trackers
from ltbench.errors import PluginError
from ltbench.grid.executor import CheckedExecutor, libraries_of
from ltbench.jobs import Job
from tests.grid.grids import Folder, InProcess
from tests.strangers import component


class Broken(InProcess):
    def start(self, job: Job) -> None:
        raise KeyError("queue")


def test_a_broken_executor_is_told_by_its_name() -> None:
    executor = CheckedExecutor(Broken(), component("executor"))
    with pytest.raises(PluginError, match="executor 'strange' of plugin stranger") as caught:
        executor.start(Job("a", ()))
    assert "KeyError: 'queue'" in caught.value.message
    assert caught.value.exit_code == 3
    assert executor.wait(0) == []


@pytest.mark.parametrize("slots", [0, -1, None, "2"])
def test_an_executor_without_slots_is_refused(slots: Any) -> None:
    with pytest.raises(PluginError, match="slots: expected at least 1"):
        _ = CheckedExecutor(InProcess(slots=slots), component("executor")).slots


def test_libraries_are_those_of_all_runs_and_trackers_each_once(folder: Folder) -> None:
    grid = folder.read("""
        [[include]]
        backbone = ["clip_tiny", "timm"]
        init = ["class_mean", "linear_probe"]
    """)
    trackers, _ = choose_trackers(folder.registry, ["csv", "mlflow"], {})
    found = libraries_of(grid, trackers)
    assert sorted(found) == [
        "mlflow",
        "open_clip",
        "sklearn.linear_model",
        "timm",
    ]
    assert libraries_of(folder.read("seed = [0, 1]"), []) == ("open_clip",)
