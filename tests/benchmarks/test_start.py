from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.checkout import Version
from benchmarks.process import ROOT
from benchmarks.start.__main__ import RESULTS, table
from benchmarks.start.commands import FIRST_STEP, STORED
from benchmarks.start.imports import measured
from benchmarks.throughput.measured.startup import IMPORTS


def test_a_library_that_is_gone_has_an_empty_cell() -> None:
    rows = [
        {"library": "b", "version": "before", "ms": 1500.0, "modules": 2, "mb": 3.0, "by": "a"},
        {"library": "a", "version": "before", "ms": 5.0, "modules": 1, "mb": 0.4, "by": ""},
        {"library": "a", "version": "now", "ms": 4.0, "modules": 1, "mb": 0.4, "by": ""},
    ]
    assert table(rows, ["before", "now"])[2:] == [
        "| b | a | 1,500, 2, 3 |  |",
        "| a |  | 5, 1, 0 | 4, 1, 0 |",
        "| all | | 1,505, 3, 3 | 4, 1, 0 |",
    ]


def test_the_committed_start_reaches_its_goals() -> None:
    rows = json.loads((RESULTS / "commands.json").read_text())["rows"]
    used = {row["command"]: row["cpu_seconds"] for row in rows if row["version"] == "now"}
    assert used[STORED] <= 0.3
    assert used[FIRST_STEP] <= used[IMPORTS]


@pytest.mark.full
def test_a_worker_imports_no_library_that_no_run_needs(tmp_path: Path) -> None:
    version = Version(ROOT, tmp_path / "compiled")
    libraries = {row["library"] for row in measured({"now": version}, tmp_path, 1)}
    assert {"torch", "open_clip", "pyarrow"} <= libraries
    assert not {"sklearn", "pandas"} & libraries
