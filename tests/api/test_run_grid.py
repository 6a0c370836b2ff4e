"""`ltbench.run_grid`, in this process where that suffices, and beside `ltbench grid run`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ltbench
from ltbench.errors import ConfigError, DataError, RunError
from ltbench.registry.registry import Registry
from ltbench.storage.result_schema import Failure, RunDescription
from ltbench.storage.run_directory import RunDirectory
from ltbench.testing import installed_plugin
from tests import runs
from tests.conftest import Ended
from tests.grid.grids import small

DEFAULTS: dict[str, Any] = {
    "method": "classifier_only",
    "dataset.largest": 10,
    "dataset.ratio": 4,
    "inference": "center",
    "augmentation": "none",
    "precision": "fp32",
    "train": {"epochs": 1},
}
EXECUTORS = """
import os
import signal

from ltbench import ExecutorSpec, hookimpl

LTBENCH_API = 1


def here(config, ctx):
    from tests.grid.grids import InProcess

    return InProcess()


class Stopping:
    slots = 1

    def start(self, job):
        pass

    def wait(self, seconds):
        os.kill(os.getpid(), signal.SIGINT)
        return []

    def stop(self):
        print("stopped")


@hookimpl
def ltbench_register_executors():
    return [
        ExecutorSpec(name="here", summary="in this process", build=here),
        ExecutorSpec(name="stopping", summary="is stopped", build=lambda c, x: Stopping()),
    ]
"""


@pytest.fixture
def executors() -> Iterator[None]:
    with installed_plugin("executors", EXECUTORS):
        yield


def run(grid: Any, out: Path, **options: Any) -> Any:
    return ltbench.run_grid(grid, out=out, device="cpu", workers=0, **options)


@pytest.mark.usefixtures("executors")
def test_runs_are_executed_and_returned_in_the_order_of_the_grid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grid = {"name": "mine", "defaults": DEFAULTS, "include": [{"loss": ["focal", "ce"]}]}
    results = run(grid, tmp_path / "runs", executor="here")
    assert [run.spec.loss.name for run in results] == ["focal", "ce"]
    assert "2/2 done ce, seed 0: " in capsys.readouterr().err
    image = results.predictions()["image"]
    assert image.notna().all()
    assert image.nunique() == results[0].metrics.test_images
    alone = {**DEFAULTS, "train.epochs": 1, "loss": "focal"}
    del alone["train"]
    again = ltbench.run(out=tmp_path / "alone", device="cpu", workers=0, progress=False, **alone)
    assert again.hash == results[0].hash
    assert again.metrics == results[0].metrics
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.json")}
    capsys.readouterr()
    file = small(tmp_path, 'loss = ["ce"]')
    file.write_text(file.read_text().replace("epochs = 2", "epochs = 1"))
    stored = run(file, tmp_path / "runs")
    assert [run.hash for run in stored] == [results[1].hash]  # of the grid, not of the folder
    assert capsys.readouterr() == ("", "")
    assert written == {path: path.stat().st_mtime_ns for path in written}


@pytest.mark.full
@pytest.mark.usefixtures("executors")
def test_failed_runs_are_an_error_after_the_others_are_done(tmp_path: Path) -> None:
    grid = {"defaults": DEFAULTS, "include": [{"train.lr": [1e30, 0.01]}]}
    for _ in range(2):  # a run that failed is not executed again unasked
        with pytest.raises(
            RunError, match=r"^1 of 2 runs failed: train\.lr=1e\+30, seed 0: .* not finite"
        ):
            run(grid, tmp_path, executor="here", progress=False)
        assert [one.spec.train.lr for one in ltbench.load_results(tmp_path)] == [0.01]
    (failed,) = tmp_path.rglob("failure.json")
    before = failed.stat().st_mtime_ns
    with pytest.raises(RunError, match="1 of 2 runs failed"):
        run(grid, tmp_path, executor="here", progress=False, overwrite="failed")
    assert failed.stat().st_mtime_ns > before


@pytest.mark.usefixtures("executors")
def test_an_interrupted_grid_can_be_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyboardInterrupt, match="0 of 1 runs are done; the same call resumes"):
        run({"defaults": DEFAULTS}, tmp_path, executor="stopping")
    assert capsys.readouterr().out == "stopped\n"
    results = run({"defaults": DEFAULTS}, tmp_path, executor="here", progress=False)
    assert len(results) == 1


def test_a_stored_failure_names_run_and_reason(registry: Registry, tmp_path: Path) -> None:
    for seed in (0, 1):
        spec = runs.spec_of(registry, method="full", seed=seed)
        if seed == 0:
            runs.store(tmp_path, spec)
            continue
        directory = RunDirectory.of(tmp_path, spec)
        directory.begin(RunDescription.of(spec))
        directory.write(Failure(error="broken", hint="mend it", kind="RunError"))
    with pytest.raises(RunError) as caught:
        run({"defaults": {"method": "full", "seed": [0, 1]}}, tmp_path, progress=False)
    assert caught.value.message == "1 of 2 runs failed: full, seed 1: broken"
    assert "--overwrite failed" in caught.value.hint


def circle() -> dict[str, Any]:
    grid: dict[str, Any] = {"defaults": {}}
    grid["defaults"]["train"] = grid
    return grid


@pytest.mark.parametrize(
    ("grid", "options", "said"),
    [
        (3, {}, "grid: expected the path of a grid file, a name or a dictionary, got 3"),
        (None, {}, "grid: expected the path"),
        ("a\0b", {}, "grid: expected the path"),
        ("no_such_grid", {}, "there is no grid 'no_such_grid'"),
        ("none.toml", {}, "none.toml does not exist"),
        ({}, {}, "expected [defaults] or [[include]], got neither"),
        ({"default": {}}, {}, "there is no key 'default'; did you mean 'defaults'"),
        ({"defaults": {3: 4}}, {}, "grid: expected texts as keys, got 3"),
        ({"defaults": {"seed": (0, 1)}}, {}, "seed: expected"),
        ({"defaults": {"seed": []}}, {}, "seed: expected a value, got an empty list"),
        ({"defaults": {"seed": np.array([0, 1])}}, {}, "seed: expected"),
        ({"defaults": {"seed": np.int64(0)}}, {"executor": "cloud"}, "no executor 'cloud'"),
        ({"include": {"seed": 1}}, {}, "include: expected [[include]]"),
        (circle(), {}, "grid: expected at most 20 tables in each other"),
        ({"defaults": {"seed": [object()]}}, {}, "seed: expected"),
        ({"defaults": {}, "include": [{"method": ["ful"]}]}, {}, "did you mean 'full'"),
        ({"defaults": {"seed": 0}}, {"jobs": 0}, "jobs: expected whole number >= 1 or none, got 0"),
        ({"defaults": {"seed": 0}}, {"executor": 3}, "executor: expected text or none, got 3"),
        ({"defaults": {"seed": 0}}, {"executor": "cloud"}, "there is no executor 'cloud'"),
        ({"defaults": {"seed": 0}}, {"seeds": 3}, "seeds: only executor.* and tracker.*"),
        ({"defaults": {"seed": 0}}, {"trackers": ["csw"]}, "there is no tracker 'csw'"),
    ],
)
def test_wrong_arguments(grid: Any, options: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        ltbench.run_grid(grid, out=tmp_path / "runs", progress=False, **options)
    assert said in caught.value.message + caught.value.hint
    assert not (tmp_path / "runs").exists()


def test_missing_data_are_an_error_before_anything_is_written(tmp_path: Path) -> None:
    grid = {"defaults": {"dataset": "places_lt"}}
    with pytest.raises(DataError, match="places_lt"):
        ltbench.run_grid(grid, out=tmp_path / "runs", data_root=tmp_path, progress=False)
    assert not (tmp_path / "runs").exists()


SCRIPT = """
import asyncio, ltbench

async def main():
    return ltbench.run_grid("small.toml", jobs=2, device="cpu", workers=0, out="python")

results = asyncio.run(main())
print(len(results), results.to_frame()["accuracy"].tolist())
"""


@pytest.mark.full  # processes of their own
def test_a_script_without_a_guard_does_what_the_command_does(
    cli: Callable[..., Ended], tmp_path: Path
) -> None:
    small(tmp_path, "seed = [0, 1]")
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 [")
    assert "2/2 done" in done.stderr
    command = ("grid", "run", "small.toml", "--jobs", "2", "--device", "cpu", "--workers", "0")
    ended = cli(*command, "--out", "command", "--json")
    assert ended.code == 0, ended.err
    accuracies = [one["accuracy"] for one in ended.json["runs"]]
    assert json.loads(done.stdout.partition(" ")[2]) == accuracies
    for one in ended.json["runs"]:
        names = [path.relative_to("command") for path in Path(one["directory"]).glob("*.parquet")]
        assert names
        assert all(
            (Path("python") / n).read_bytes() == (Path("command") / n).read_bytes() for n in names
        )
