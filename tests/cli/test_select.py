"""What the command says of how a run is selected, before and after it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ended

Cli = Callable[..., Ended]
SMALL = (
    *("--set", "dataset.largest=10", "--set", "dataset.ratio=4", "--inference", "center"),
    *("--method", "classifier_only", "--precision", "fp32", "--select", "val"),
)


@pytest.mark.parametrize(
    "arguments",
    [("--select", "test"), ("--select", "best_on_test"), ("--set", "select=test")],
    ids=lambda arguments: arguments[1],
)
def test_selection_on_the_test_set_is_not_offered(
    cli: Cli, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ended = cli("run", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "select: expected last, val" in ended.err
    assert "selection on the test set is not offered" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_tells_what_validation_takes(cli: Cli, tmp_path: Path) -> None:
    planned = cli("run", *SMALL, "--dry-run", "--epochs", "4")
    assert "select = val (user)" in planned.out
    assert "s validation after the epochs" in planned.out
    on_val = cli("run", *SMALL, "--dry-run", "--epochs", "4", "--split", "val", "--json").json
    estimate = on_val["estimate"]
    assert estimate["select_seconds"] == pytest.approx(4 * estimate["evaluate_seconds"])
    last = cli("run", *SMALL[:-2], "--dry-run")
    assert "select = last (default)" in last.out
    assert "validation" not in last.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.full
def test_the_epochs_and_the_result_tell_the_choice(cli: Cli) -> None:
    ended = cli("run", *SMALL, "--epochs", "1")
    assert ended.code == 0, ended.err
    assert "val mean-class" in ended.err
    assert "taking epoch 1 of 1: the best on val" in ended.err
    assert "epoch 1 of 1, chosen on 1,392 validation images (mean-class" in ended.out
    assert "s validation, " in ended.out
    last = cli("run", *SMALL[:-2], "--epochs", "1")
    assert "epoch 1 of 1, the last" in last.out
