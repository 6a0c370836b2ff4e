"""Runs with `--limit` and `--fast`, and the verbs that refuse them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import ltbench
from ltbench.config.resolve import resolve
from ltbench.errors import ConfigError
from ltbench.registry.registry import Registry
from tests.conftest import Ended
from tests.runs import spec_of, store

Cli = Callable[..., Ended]
QUICK = ("run", "--method", "classifier_only", "--inference", "center")
FOLDER = "runs/digits_lt/clip_tiny/classifier_only"


def test_a_quick_look_is_marked_listed_and_refused(cli: Cli, registry: Registry) -> None:
    ended = cli(*QUICK, "--fast", "--limit", "2")
    assert ended.code == 0, ended.err
    assert "training: 20 images an epoch" in ended.err
    assert "quick look (fast, limit=2): the numbers are comparable with no others" in ended.out
    (path,) = Path(FOLDER).iterdir()
    result = json.loads((path / "result.json").read_text())
    assert (result["run"]["limit"], result["run"]["fast"]) == (2, True)
    assert result["run"]["train"] | {"epochs": 1, "batch_size": 32} == result["run"]["train"]
    assert result["metrics"]["test_images"] == 20
    assert max(result["classes"]["train_images"]) > 100  # the shot groups are those of all images
    assert sum(result["classes"]["trained_on"]) == 20
    assert not ltbench.load_run(path).comparable
    listed = cli("runs", "list").out
    assert " limit  fast " in listed
    assert "limit = 2" in cli("runs", "show", str(path)).out
    for verb in (["leaderboard", "runs"], ["report", "runs", "--out", "r"], ["compare", FOLDER, "runs"]):  # fmt: skip  # noqa: E501
        refused = cli(*verb)
        assert (refused.code, refused.out) == (2, "")
        assert "is a quick look (fast, limit=2): its numbers are not comparable" in refused.err
    with pytest.raises(ConfigError, match="is a quick look"):
        ltbench.load_results("runs").leaderboard()
    store(Path("runs"), spec_of(registry, method="lora"))
    ranked = cli("leaderboard", "runs")
    assert ranked.code == 0
    assert "classifier_only" not in ranked.out
    assert f"skipped {path}: it is a quick look (fast, limit=2)" in ranked.err
    assert len(ltbench.load_results("runs").leaderboard()) == 1
    again = cli("eval", str(path), "--inference", "flip")
    assert again.code == 0, again.err
    assert "evaluating: 20 images" in again.err


def test_the_validation_split_is_limited_too(cli: Cli) -> None:
    small = (*QUICK, "--limit", "1", "--epochs", "1", "--select", "val", "--json")
    selection = cli(*small).json["selection"]
    assert (selection["val_images"], selection["held_out"]) == (9, False)  # one class has none


def test_a_limit_is_in_the_hash_only_where_it_is_set(registry: Registry) -> None:
    def spec(**settings: object) -> tuple[str, dict[str, object]]:
        resolved = resolve(registry, settings, Path("data")).spec
        return resolved.hash, resolved.to_dict()

    plain, described = spec()
    assert plain == "199f5f1adf86"
    assert not {"limit", "fast"} & described.keys()
    assert spec(limit=None, fast=False)[0] == plain
    assert len({plain, spec(limit=5)[0], spec(limit=8)[0], spec(fast=True)[0]}) == 4
    fast = resolve(registry, {"fast": True, "train.epochs": 2, "method": "full"}, Path("data")).spec
    assert (fast.limit, fast.train.epochs, fast.train.batch_size) == (8, 2, 32)
    assert resolve(registry, {"fast": True, "method": "zero_shot"}, Path()).spec.train.epochs == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--limit", "0"), "limit: expected whole number > 0"),
        (("--limit", "few"), "limit: expected whole number > 0"),
        (("--set", "fast=maybe"), "fast: expected true or false, got 'maybe'"),
    ],
)
def test_a_wrong_limit_is_one_error(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    ended = cli(*QUICK, *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert ended.err.count("error:") == 1
