"""Columns of `ltbench runs list` on terminals of several widths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ltbench.cli.runs.column_widths import column_widths, folded_title
from ltbench.registry.registry import Registry
from tests.conftest import Ended
from tests.runs import spec_of, store

Cli = Callable[..., Ended]

LONGEST = {"hash": 12, "method": 15, "train.epochs": 2, "inference": 6, "few": 4, "tags": 30}
TEXTS = ("hash", "method", "inference", "tags")


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (92, {**LONGEST, "train.epochs": 12, "inference": 9}),
        (91, {**LONGEST, "train.epochs": 6, "inference": 9}),
        (80, {**LONGEST, "train.epochs": 6, "inference": 9, "tags": 24}),
        (60, {"hash": 12, "method": 15, "train.epochs": 6, "few": 4, "tags": 15}),
        (50, {"hash": 12, "method": 14, "few": 4, "tags": 14}),
        (20, {"hash": 12, "method": 12, "few": 4, "tags": 12}),
    ],
)
def test_narrow_columns(total: int, expected: dict[str, int]) -> None:
    found = column_widths(LONGEST, total, foldable=TEXTS, optional=("train.epochs", "inference"))
    assert found == expected


def test_titles_are_broken_behind_dots() -> None:
    assert folded_title("train.epochs", 12) == "train.epochs"
    assert folded_title("train.epochs", 7) == "train.\nepochs"
    assert folded_title("few", 4) == "few"


def test_no_value_is_cut_off(
    cli: Cli, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    for method, epochs in (("classifier_only", 3), ("classifier_only", 10), ("lora", 10)):
        store(tmp_path / "runs", spec_of(registry, method=method, train__epochs=epochs), skill=1.0)
    assert cli("runs", "tag", "runs", "paper=table_of_methods").code == 0
    runs = cli("runs", "list", "--json").json["runs"]
    title, *lines = cli("runs", "list").out.splitlines()
    assert title.split() == ["hash", "method", "seed", "accuracy", "few", "tags"]
    assert lines[-1] == "no room for train.epochs: add --columns, --csv or --json"
    for run in runs:
        assert any(
            line.startswith(run["hash"]) and f"{run['few']:.1f}" in line.split() for line in lines
        )
    columns = "hash,train.epochs,path,finished,accuracy,few,tag.paper"
    wide = cli("runs", "list", "--columns", columns).out
    assert "table_of_" in wide
    assert "no room" not in wide
