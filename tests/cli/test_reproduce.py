"""`ltbench reproduce` on drawn runs, whose accuracies are written into them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ltbench.registry.registry import Registry
from tests.conftest import Ended
from tests.runs import spec_of, store
from tests.strangers import install

Cli = Callable[..., Ended]
PLUGIN = """
from ltbench import PublishedResult, hookimpl

@hookimpl
def ltbench_published_results():
    return [
        PublishedResult(
            dataset="digits_lt", backbone="clip_tiny", method="lift",
            metrics={"accuracy": 78.3}, source="Doe, 2025", settings=settings,
        )
        for settings in SETTINGS
    ]
"""


@pytest.fixture
def put(tmp_path: Path, registry: Registry) -> Callable[..., Path]:
    def put(*accuracies: float, method: str = "lift", **settings: Any) -> Path:
        out = tmp_path / "runs"
        for seed, accuracy in enumerate(accuracies):
            spec = spec_of(registry, method=method, seed=seed, **settings)
            store(out, spec, changed={"metrics": {"accuracy": accuracy}})
        return out

    return put


@pytest.fixture
def knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a plugin that knows 78.3 % for LIFT with these settings."""

    def knows(*settings: dict[str, Any]) -> None:
        (tmp_path / "site").mkdir()
        install(tmp_path / "site", monkeypatch, "numbers", f"SETTINGS = {settings!r}\n{PLUGIN}")

    return knows


def test_a_number_that_a_plugin_knows(
    cli: Cli, put: Callable[..., Path], knows: Callable[..., None]
) -> None:
    knows({}, {"inference": "center"})
    put(70.0, 70.1, method="full")
    put(60.0, inference="center", train__lr=0.5)
    out = put(78.0, 78.1, 78.2)
    ended = cli("reproduce", str(out))
    assert (ended.code, ended.err) == (0, "")
    assert (
        "lift on digits_lt with clip_tiny reproduces 78.3 % (Doe, 2025) in overall accuracy: 78.10 "
        "over 3 seeds, difference -0.20 points [-0.37, -0.03] lies within the margin of 0.5, "
        "p = 0.018 (one comparison)" in ended.out
    )
    assert re.search(r"78\.3 +78\.10 +3 +-0\.20 +-0\.37 to -0\.03 +equivalent", ended.out)
    assert "close lift on digits_lt with clip_tiny: 78.3 % (Doe, 2025) differs in" in ended.out
    assert "train.lr 0.01 | 0.5 (published | here)" in ended.out
    assert "no number is published for full on digits_lt with clip_tiny" in ended.out
    assert "a coverage of 90 %, which corresponds to two one-sided t tests at 95 %" in ended.out


def test_as_json(cli: Cli, put: Callable[..., Path], knows: Callable[..., None]) -> None:
    knows({}, {"inference": "center"})
    put(70.0, method="full")
    put(60.0, train__lr=0.5)
    out = put(78.0, 78.1, 78.2)
    found = cli("reproduce", str(out), "--json", "--level", "0.9", "--margin", "1").json
    assert (found["schema"], found["metric"], found["margin"]) == (1, "accuracy", 1)
    assert (found["level"], found["interval_level"]) == (0.9, pytest.approx(0.8))
    assert (found["correction"], found["tests"]) == ("holm", 1)
    (one,) = found["reproductions"]
    assert one["published"] == {"value": 78.3, "source": "Doe, 2025", "plugin": "numbers"}
    assert one["verdict"] == "equivalent"
    assert (one["seeds"], one["values"]) == ([0, 1, 2], [78.0, 78.1, 78.2])
    assert one["test"]["found"]["difference"] == pytest.approx(-0.2)
    assert len(one["runs"]) == 3
    assert [near["differs_in"] for near in found["close"]] == [
        {"train.lr": {"published": "0.01", "here": "0.5"}},
        {
            "inference": {"published": "center", "here": "tte"},
            "train.lr": {"published": "0.01", "here": "0.5"},
        },
    ]
    assert [cell["method"] for cell in found["without"]] == ["full"]


def test_a_number_that_is_given(cli: Cli, put: Callable[..., Path]) -> None:
    out = put(76.0, 76.1, 76.2)
    ended = cli("reproduce", str(out), "--published", "78.3", "--source", "Doe [v2]")
    assert ended.code == 0, ended.err
    assert "does not reproduce 78.3 % (Doe [v2]) in overall accuracy" in ended.out
    assert "different" in ended.out
    assert "(as given)" in cli("reproduce", str(out), "--published", "78.3").out
    put(70.0, method="full")
    several = cli("reproduce", str(out), "--published", "78.3")
    assert (several.code, several.out) == (2, "")
    assert "only in their seed, but they differ in method full | lift" in several.err


def test_one_seed_is_not_tested(cli: Cli, put: Callable[..., Path]) -> None:
    ended = cli("reproduce", str(put(78.2)), "--published", "78.3")
    assert ended.code == 0
    assert "difference -0.10 points; a test needs two seeds or more" in ended.out
    assert "untested" in ended.out


def test_runs_about_which_nothing_is_published(
    cli: Cli, put: Callable[..., Path], knows: Callable[..., None]
) -> None:
    knows({})
    out = put(78.0, train__lr=0.5)
    ended = cli("reproduce", str(out))
    assert (ended.code, ended.out) == (2, "")
    assert "no overall accuracy is published for these runs" in ended.err
    assert "78.3 % (Doe, 2025) differs in train.lr 0.01 | 0.5 (published | here)" in ended.err
    assert "--published PERCENT --source TEXT" in ended.err
    few = cli("reproduce", str(out), "--metric", "few")
    assert (few.code, "no few-shot accuracy is published" in few.err) == (2, True)


def test_a_number_of_no_run_is_told_and_the_others_are_used(
    cli: Cli, put: Callable[..., Path], knows: Callable[..., None]
) -> None:
    knows({"train.speed": 3}, {})
    ended = cli("reproduce", str(put(78.0, 78.1)))
    assert ended.code == 0
    assert "skipped the published result of lift on digits_lt" in ended.err
    assert "(plugin numbers): train.speed" in ended.err
    assert "78.3 % (Doe, 2025)" in ended.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--margin", "0"], 2, "percent points above 0"),
        (["--margin", "nan"], 2, "percent points above 0"),
        (["--source", "Doe"], 2, "expected --published"),
        (["--published", "783"], 2, "--published"),
    ],
)
def test_what_makes_no_sense(
    cli: Cli, put: Callable[..., Path], arguments: list[str], code: int, said: str
) -> None:
    ended = cli("reproduce", str(put(78.0, 78.1)), *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err


def test_no_runs(cli: Cli, tmp_path: Path) -> None:
    ended = cli("reproduce", str(tmp_path), "--published", "78.3")
    assert (ended.code, "no finished run" in ended.err) == (4, True)


def test_broken_runs_are_skipped_or_end_strictly(cli: Cli, put: Callable[..., Path]) -> None:
    out = put(78.0, 78.1, 78.2)
    broken = next(out.rglob("result.json"))
    broken.write_text("{")
    arguments = ["reproduce", str(out), "--published", "78.3", "--json"]
    lenient = cli(*arguments)
    assert lenient.code == 0
    assert f"skipped {broken.parent}" in lenient.err
    assert lenient.json["skipped"][0]["path"] == str(broken.parent)
    strict = cli(*arguments, "--strict")
    assert (strict.code, "1 run directory was skipped" in strict.err) == (1, True)
    assert json.loads(strict.out) == lenient.json
