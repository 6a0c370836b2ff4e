"""Trainings that their caller ends after an epoch, and resumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ltbench.engine.launch import PlannedRun, plan_run, runtime_config
from ltbench.errors import LTBenchError, Stopped
from ltbench.registry.registry import Registry
from ltbench.storage.run_directory import RunDirectory
from tests.strangers import install

SETTINGS = {
    "dataset.largest": 10,
    "dataset.ratio": 4,
    "method": "classifier_only",
    "inference": "center",
    "precision": "fp32",
    "train.epochs": 3,
}
WATCHER = """
SEEN = []

@hookimpl
def ltbench_on_epoch_end(run, epoch, metrics):
    SEEN.append(epoch)

@hookimpl
def ltbench_on_run_failure(run, error):
    SEEN.append(type(error).__name__)
"""


@pytest.fixture
def planned(registry: Registry, tmp_path: Path) -> PlannedRun:
    return plan_run(registry, SETTINGS, tmp_path)


def test_a_stopped_run_is_unfinished_and_resumed_bit_for_bit(
    planned: PlannedRun, tmp_path: Path
) -> None:
    runtime = runtime_config(tmp_path / "whole", "cpu", 0, 0)
    expected = planned.execute(runtime, "never")
    seen: list[int] = []

    def stop_after(rows: Sequence[Mapping[str, Any]]) -> bool:
        seen.append(len(rows))
        return len(rows) == 2

    runtime = replace(runtime, out=tmp_path / "stopped")
    directory = planned.directory(runtime.out)
    for _ in range(2):  # a resumed training is stopped at once, for the same reason
        with pytest.raises(Stopped, match="stopped after 2 of 3 epochs"):
            planned.execute(runtime, "never", stop_after=stop_after)
        assert len(directory.history()) == 2
        assert directory.failure() is None
        assert directory.result() is None
    assert seen == [1, 2, 2]
    result = planned.execute(runtime, "never")
    assert result.metrics == expected.metrics
    assert [row["loss"] for row in directory.history()] == [
        row["loss"] for row in RunDirectory(expected.path).history()
    ]
    assert planned.execute(runtime, "never", stop_after=lambda rows: True).path == result.path


def test_the_last_epoch_is_not_asked_about(planned: PlannedRun, tmp_path: Path) -> None:
    seen: list[int] = []
    runtime = runtime_config(tmp_path / "runs", "cpu", 0, 0)
    planned.execute(runtime, "never", stop_after=lambda rows: bool(seen.append(len(rows))))
    assert seen == [1, 2]


def test_a_lost_line_of_the_history_is_written_when_the_run_is_resumed(
    planned: PlannedRun, tmp_path: Path
) -> None:
    runtime = runtime_config(tmp_path / "runs", "cpu", 0, 0)
    directory = planned.directory(runtime.out)
    with pytest.raises(Stopped):
        planned.execute(runtime, "never", stop_after=lambda rows: len(rows) == 2)
    directory.write_history(directory.history()[:1])  # a crash after the checkpoint
    with pytest.raises(Stopped):
        planned.execute(runtime, "never", stop_after=lambda rows: True)
    assert len(directory.history()) == 2


def test_observers_are_notified_once_of_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import import_module

    from ltbench.registry.load import load_plugins

    install(tmp_path, monkeypatch, "watcher", WATCHER)
    planned = plan_run(load_plugins(), SETTINGS, tmp_path)
    with pytest.raises(LTBenchError):
        planned.execute(
            runtime_config(tmp_path / "runs", "cpu", 0, 0), "never", stop_after=lambda rows: True
        )
    assert import_module("watcher_plugin").SEEN == [0, "Stopped"]
