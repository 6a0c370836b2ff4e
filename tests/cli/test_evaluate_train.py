"""`ltbench eval --split train`: the training images of a finished run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ltbench
from ltbench.storage.predictions import Predictions
from tests import trees
from tests.conftest import Ended

Cli = Callable[..., Ended]
TRAIN = ("--split", "train", "--workers", "0")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with held-out images, which are no training images."""
    folder = tmp_path_factory.mktemp("train")
    counts = {"train": {"ant": 20, "bee": 10}, "test": {"ant": 2, "bee": 2}}
    settings = {
        "dataset": "folder",
        "dataset.path": trees.class_folders(folder / "set", counts),
        "train.epochs": 1,
        "precision": "fp32",
        "select": "val",
    }
    arguments = {"out": folder / "runs", "device": "cpu", "workers": 0, "progress": False}
    return ltbench.run(**arguments, **settings).path


def test_training_accuracy_is_beside_test_accuracy(cli: Cli, finished: Path) -> None:
    stored = (finished / "result.json").read_bytes()
    first = cli("eval", str(finished), *TRAIN, "--json")
    assert first.code == 0, first.err
    run = ltbench.load_run(finished)
    train, metrics = first.json["train"], first.json["metrics"]
    assert metrics["accuracy"] == run.metrics.accuracy
    assert train["images"] == sum(run.classes.trained_on) < sum(run.classes.train_images)
    read = Predictions.read(finished / "train-predictions-tte.parquet")
    assert train["accuracy"] == pytest.approx(100 * np.mean(read.labels == read.predicted))
    for name, gap in first.json["gap"].items():
        if gap is not None:
            assert gap == pytest.approx(train[name] - metrics[name])
    assert (finished / "result.json").read_bytes() == stored
    again = cli("eval", str(finished), "--split", "train", "--json")
    assert (again.json, again.err) == (first.json, "")  # read, not computed again
    shown = cli("eval", str(finished), "--split", "train").out
    assert "train %  test %" in shown
    groups = run.errors().groups.set_index("shot_group")
    assert groups.loc["overall", "gap"] == pytest.approx(first.json["gap"]["accuracy"])


def test_other_views_are_evaluated_on_both(cli: Cli, finished: Path) -> None:
    ended = cli("eval", str(finished), "--inference", "center", *TRAIN, "--json")
    assert ended.code == 0, ended.err
    assert (finished / "predictions-center.parquet").exists()
    assert (finished / "train-predictions-center.parquet").exists()
    assert ended.json["inference"]["name"] == "center"


def test_the_split_of_another_run_is_refused(cli: Cli, finished: Path) -> None:
    ended = cli("eval", str(finished), "--split", "val")
    assert ended.code == 2
    assert "the run was evaluated on test, not on val" in ended.err
    assert cli("eval", str(finished), "--split", "test", "--json").code == 0
