"""Finished runs whose data are somewhere else now."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ltbench_plugins.datasets.digits_lt import NAMES
from tests import trees
from tests.conftest import Ended

Cli = Callable[..., Ended]
QUICK = (
    "--epochs",
    "1",
    "--workers",
    "0",
    "--precision",
    "fp32",
    "--inference",
    "center",
    "--json",
)
COUNTS = {"train": {"ant": 4, "bee": 3}, "test": {"ant": 2, "bee": 2}}


@pytest.fixture
def finished(cli: Cli, tmp_path: Path) -> Path:
    """A run whose data set was named by a relative path."""
    trees.class_folders(tmp_path / "set", COUNTS)
    ended = cli("run", "--dataset", "folder", "--set", "dataset.path=set", *QUICK)
    assert ended.code == 0, ended.err
    return tmp_path / str(ended.json["directory"])


def test_a_relative_path_is_found_from_another_folder(
    cli: Cli, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    ended = cli("eval", str(finished), "--inference", "flip", "--workers", "0", "--json")
    assert ended.code == 0, ended.err


def test_moved_data_are_named(cli: Cli, finished: Path, tmp_path: Path) -> None:
    (tmp_path / "set").rename(tmp_path / "moved")
    assert cli("eval", str(finished), "--json").code == 0  # stored predictions need no data
    flip = ("eval", str(finished), "--inference", "flip", "--workers", "0", "--json")
    ended = cli(*flip)
    assert ended.code == 4
    assert "set does not exist" in ended.err
    assert f"--set dataset.path=PLACE, where it was {tmp_path / 'set'}" in ended.err
    moved = cli(*flip, "--set", "dataset.path=moved")
    assert moved.code == 0, moved.err
    assert cli(*flip, "--set", "dataset.path=moved").json == moved.json


def test_other_data_in_their_place_are_refused(cli: Cli, finished: Path, tmp_path: Path) -> None:
    other = shutil.copytree(tmp_path / "set", tmp_path / "other")
    shutil.copy(other / "test/ant/0.jpg", other / "test/ant/1.jpg")
    for inference in ("center", "flip"):
        ended = cli(
            *("eval", str(finished), "--inference", inference, "--workers", "0"),
            *("--set", f"dataset.path={other}"),
        )
        assert ended.code == 4
        assert "dataset 'folder' is not what the run used: expected content:" in ended.err


def test_what_changes_numbers_stays_refused(cli: Cli, finished: Path) -> None:
    for option in ("dataset.profile=pareto", "train.lr=1"):
        ended = cli("eval", str(finished), "--set", option)
        assert ended.code == 2
        assert (
            "can only change inference.*, and where data or weights lie (dataset.path)" in ended.err
        )


@pytest.mark.full
def test_stored_predictions_need_neither_data_nor_its_plugin(
    cli: Cli, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flip = ("eval", str(finished), "--inference", "flip", "--workers", "0", "--json")
    stored = cli(*flip).json
    other = ("--dataset", "folder", "--set", "dataset.path=set", "--method", "classifier_only")
    second = str(cli("run", *other, *QUICK).json["directory"])
    (tmp_path / "set").rename(tmp_path / "moved")
    monkeypatch.setenv("LTBENCH_DISABLE_PLUGINS", "builtin_datasets")
    assert cli(*flip).json == stored
    older = cli("eval", str(finished), "--shot-rule", "inclusive", "--json")
    assert older.json["metrics"]["shot_rule"] == "inclusive"
    runs = str(tmp_path / "runs")
    for reader in (
        ("leaderboard", runs),
        ("compare", str(finished), second),
        ("report", runs, "--out", "page"),
    ):
        ended = cli(*reader)
        assert ended.code == 0, ended.err
    ended = cli("eval", str(finished), "--inference", "ten_crop", "--workers", "0")
    assert (ended.code, "there is no dataset 'folder'" in ended.err) == (2, True)


def test_an_evaluation_needs_no_file_of_the_init(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "texts.json").write_text(json.dumps({name: [name] for name in NAMES}))
    zero_shot = ("run", "--method", "zero_shot", "--limit", "1", "--precision", "fp32", "--json")
    described = (*zero_shot, "--inference", "center", "--set", "init.descriptions=texts.json")
    ended = cli(*described)
    assert ended.code == 0, ended.err
    (tmp_path / "texts.json").unlink()
    flip = cli("eval", str(ended.json["directory"]), "--inference", "flip", "--json")
    assert flip.code == 0, flip.err
    again = cli(*described)
    assert (again.code, again.err.splitlines()[-1]) == (
        2,
        "hint: set init.descriptions to an existing JSON file",
    )
