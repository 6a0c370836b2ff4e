"""Stores of synthetic runs, and the figure of their measurements."""

from __future__ import annotations

import tomllib
from math import prod
from pathlib import Path

import pytest

from benchmarks.stores import growth, make
from ltbench.storage.results import find_runs


@pytest.mark.parametrize("runs", [100, 1_000, 10_000, 100_000])
def test_grids_have_the_number_of_runs(runs: int) -> None:
    tables = tomllib.loads(make.grid_text(runs))
    found = 0
    for entry in tables["include"]:
        axes = [*tables["defaults"].values(), *entry.values(), entry["train"]["lr"]]
        found += prod(len(axis) for axis in axes if isinstance(axis, list))
    assert found == runs


@pytest.mark.full
def test_runs_of_a_store_are_read(tmp_path: Path) -> None:
    make.write_store(tmp_path / "store", 100, predictions=True)
    found = find_runs([tmp_path / "store" / "runs"])
    assert (len(found.runs), found.skipped) == (100, ())
    assert len(found.cells()) == 4
    assert len(found.runs[0].predictions().labels) == 500


def test_the_figure_has_every_command() -> None:
    drawn = growth.growth_of_runs().decode()
    assert all(name in drawn for name in ("leaderboard", "grid status", "peak memory"))
