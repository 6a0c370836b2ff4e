"""Tests of run directories that others have changed: the run is skipped, the others are read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ltbench
from ltbench.config.runspec import hash_of
from ltbench.errors import ConfigError, DataError
from ltbench.registry.registry import Registry
from ltbench.storage.results import find_runs
from ltbench.storage.run_directory import RunDirectory
from tests.runs import spec_of, store

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def run(tmp_path: Path, registry: Registry) -> Path:
    """One of two runs."""
    store(tmp_path / "runs", spec_of(registry, seed=1))
    return store(tmp_path / "runs", spec_of(registry, seed=2))


def reason(run: Path) -> str:
    """Returns why a run is skipped, after checking that the other one is read."""
    found = find_runs([run.parent])
    assert (len(found.runs), [item.path for item in found.skipped]) == (1, [run])
    return found.skipped[0].reason


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r["run"].update(seed="2"), "run.seed: expected a valid integer, got '2'"),
        (lambda r: r["run"].update(seed=True), "run.seed: expected a valid integer, got True"),
        (lambda r: r["run"]["train"].update(epochs="2"), "run.train.epochs: expected 2, got"),
        (lambda r: r["run"]["train"].pop("lr"), "run.train.lr: expected"),
        (lambda r: r["run"]["augmentation"].pop("identity"), "augmentation.identity: the key"),
        (lambda r: r["run"]["method"].update(name="=1+1"), "run.method.name: String should match"),
        (lambda r: r["run"]["method"].update(name="a/../b"), "run.method.name: String should"),
        (lambda r: r["run"]["method"]["options"].update({"\x1b": 1}), "run.method.options"),
        (lambda r: r["run"]["method"]["options"].update(x=10**30), "a number is too large"),
        (lambda r: r["run"]["dataset"]["paths"].update(path="a\0b"), "run.dataset.paths.path"),
        (lambda r: r["classes"].update(extra=1), "classes.extra: the key is unknown"),
        (lambda r: r["metrics"].update(shot_rule="@x"), "metrics.shot_rule: String should match"),
        (lambda r: r["metrics"]["intervals"].pop("few"), "metrics.intervals: few is missing"),
        (lambda r: r["metrics"]["per_class"].pop(), "classes: expected lists of one length"),
        (lambda r: r["selection"].update(epoch=7), "selection.epoch: expected one of 2, got 7"),
        (lambda r: r["evaluation"].update(inference="center"), "evaluation.inference: expected"),
        (lambda r: r["classes"]["train_images"].__setitem__(0, 10**20), "train_images.0: expected"),
    ],
)
def test_a_changed_result_is_skipped_and_named(run: Path, change: Change, said: str) -> None:
    content = json.loads((run / "result.json").read_text())
    change(content)
    content["hash"] = hash_of(content["run"])
    (run / "result.json").write_text(json.dumps(content))
    assert said in reason(run)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("null", "was not written by ltbench"),
        ("3", "was not written by ltbench"),
        ('{"schema": true}', "was not written by ltbench"),
        (f'{{"schema": {"9" * 3000}}}', "has schema 9999"),
        ('{"schema": 3, "schema": 3}', "a key occurs twice"),
        ("[" * 100_000, "lists and objects within each other"),
        ("9" * 10_000, "is not JSON"),
    ],
)
def test_any_json_is_one_error(run: Path, text: str, said: str) -> None:
    (run / "result.json").write_text(text)
    assert said in reason(run)


def test_what_is_no_regular_file_is_not_read(run: Path) -> None:
    path = run / "result.json"
    path.unlink()
    os.mkfifo(path)
    assert reason(run) == f"{path} cannot be read: Not a regular file"
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "Not a regular file" in reason(run)
    path.unlink()
    with path.open("wb") as file:
        file.truncate(2**40)
    assert "File is larger than" in reason(run)


def test_a_history_belongs_to_its_result(run: Path) -> None:
    result = ltbench.load_run(run)
    RunDirectory(run).write_history([])
    with pytest.raises(DataError, match="expected 2 epochs, got 0"):
        result.history()
    for text in ('{"loss": [1]}\n{}\n', "[]\n{}\n", '{"=x": 1}\n{}\n', '{"loss": 1e999}\n{}\n'):
        (run / "history.jsonl").write_text(text)
        with pytest.raises(DataError, match="line 1: expected one JSON object of numbers"):
            result.history()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_logits_are_finite(run: Path, value: float) -> None:
    result = ltbench.load_run(run)
    read = result.predictions()
    logits = read.logits.copy()
    logits[3, 1] = value
    about = {"hash": result.hash, "inference": "tte", "split": "test"}
    changed = type(read)(read.indices, read.labels, read.classes, logits, read.log_sum_exp)
    changed.write(run / "predictions-tte.parquet", about)
    with pytest.raises(DataError, match="it has logits that are not finite"):
        result.predictions()


@pytest.mark.parametrize("path", [3, None, "a\0b", b"runs", ["runs"]])
def test_a_run_is_loaded_by_its_path(path: Any) -> None:
    with pytest.raises(ConfigError, match="expected the path of a run directory"):
        ltbench.load_run(path)


@pytest.mark.parametrize("settings", [3, "backbone.path=x", {1: "x"}, ["x"]])
def test_settings_of_a_model_are_paths_by_key(run: Path, settings: Any) -> None:
    with pytest.raises(ConfigError, match="settings: expected paths by key"):
        ltbench.load_run(run).model(settings=settings)


@pytest.mark.parametrize("inference", [3, "", "../x", "a/b", "\0"])
def test_predictions_are_named_by_their_inference(run: Path, inference: Any) -> None:
    with pytest.raises(DataError, match="is no name of an inference"):
        ltbench.load_run(run).predictions(inference)


def test_a_name_of_predictions_that_no_file_can_have(run: Path) -> None:
    with pytest.raises(DataError, match="has no predictions with inference"):
        ltbench.load_run(run).predictions("a" * 5_000)
