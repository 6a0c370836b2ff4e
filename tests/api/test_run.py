"""`ltbench.run` with real runs of one epoch, beside the same `ltbench run`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ltbench
from ltbench.api import progress as module
from ltbench.engine.launch import plan_run
from ltbench.errors import ConfigError, DataError, RunError
from ltbench.progress import SilentReporter
from ltbench.registry.registry import Registry

SETTINGS: dict[str, Any] = {
    "method": "lift_plus",
    "dataset": "digits_lt",
    "seed": 1,
    "precision": "fp32",
    "inference": "center",
    "method.dim": 8,
    "train.epochs": 1,
    "dataset.largest": 10,
    "dataset.ratio": 4.0,
}
FLAGS = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]


def run(out: Path, **changed: Any) -> dict[str, Any]:
    """Returns a result as JSON has it."""
    result = ltbench.run(out=out, device="cpu", workers=0, **{**SETTINGS, **changed})
    stored: dict[str, Any] = json.loads(json.dumps(result.to_dict()))
    return stored


def test_importing_ltbench_loads_no_numpy_and_no_torch() -> None:
    offered = "{'run', 'Any', 'import_module'} & {*dir(ltbench)}"  # by a notebook, after Tab
    code = f"import sys, ltbench; print({{'numpy', 'torch'}} & {{*sys.modules}}, {offered})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set() {'run'}\n"
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        _ = ltbench.walk


@pytest.mark.full
def test_python_and_the_command_execute_the_same_run(
    cli: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(tmp_path / "python")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "training: " in captured.err
    assert run(tmp_path / "python", progress=False) == result  # the stored one
    assert capsys.readouterr().err == ""
    command = cli("run", *FLAGS, "--out", str(tmp_path / "command"), "--device", "cpu", "--json")
    assert command.code == 0, command.err
    other = command.json
    for key in ("hash", "run", "metrics", "classes", "learned"):
        assert result[key] == other[key]
    folders = [
        next((tmp_path / name).glob("*/*/*/*/learned.safetensors")).parent
        for name in ("python", "command")
    ]
    assert folders[0].name == folders[1].name
    weights = [(folder / "learned.safetensors").read_bytes() for folder in folders]
    assert weights[0] == weights[1]


def test_settings_are_python_values(registry: Registry, tmp_path: Path) -> None:
    settings = {**SETTINGS, "method.layers": (0, 1), "method.dim": None}
    resolved = plan_run(registry, settings, tmp_path).resolved
    assert resolved.configs["method"].layers == (0, 1)
    assert resolved.configs["method"].dim is None


def test_all_faults_are_raised_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        run(
            tmp_path,
            loss={"name": "ce"},
            seed="one",
            lr=0.1,
            trackers=["no_such_tracker"],
            **{"train.epochs": -1, "tracker.csv.fields": "a"},
        )
    message = caught.value.message
    for fault in (
        "loss: expected a name, got {'name': 'ce'}",
        "seed: expected",
        "did you mean 'train.lr'?",
        "there is no tracker 'no_such_tracker'",
        "tracker.csv.fields: ",
        "train.epochs: ",
    ):
        assert fault in message
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


def test_a_run_that_failed_is_not_executed_again_unasked(tmp_path: Path) -> None:
    rate = {"train.lr": 1e30}
    with pytest.raises(RunError, match="loss"):
        run(tmp_path, progress=False, **rate)
    with pytest.raises(RunError, match="this run failed before") as caught:
        run(tmp_path, progress=False, **rate)
    assert "--overwrite failed" in caught.value.hint


@pytest.mark.full
def test_an_interrupted_run_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stop(SilentReporter):
        def epoch(self, row: Any, epochs: int) -> None:
            raise KeyboardInterrupt

    epochs = {"train.epochs": 2}
    expected = run(tmp_path / "whole", progress=False, **epochs)
    with monkeypatch.context() as patched:
        patched.setattr(module, "SILENT", Stop())
        with pytest.raises(KeyboardInterrupt, match="after 1 of 2 epochs; the same call resumes"):
            run(tmp_path / "stopped", progress=False, **epochs)
    resumed = run(tmp_path / "stopped", progress=False, **epochs)
    assert resumed["metrics"] == expected["metrics"]


@pytest.mark.parametrize(
    ("variable", "given", "expected"),
    [("", None, "data"), ("/there", None, "/there"), ("/there", "mine", "mine")],
)
def test_the_data_root_is_that_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, given: str, expected: str
) -> None:
    monkeypatch.setenv("LTBENCH_DATA", variable)
    with pytest.raises(DataError) as caught:
        ltbench.run(out=tmp_path, data_root=given, dataset="places_lt", progress=False)
    assert f" {expected}/places_lt" in f" {caught.value.message} {caught.value.hint}"
