from __future__ import annotations

from pathlib import Path

from benchmarks.checkout import Version
from benchmarks.process import ROOT
from benchmarks.throughput.scale import scale_of
from benchmarks.versions.__main__ import compare, table
from benchmarks.versions.rows import Row, rows

# Prints how often it was executed with one folder.
COUNTS = """
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
folder.mkdir(exist_ok=True)
executions = len(list(folder.iterdir())) + 1
(folder / str(executions)).touch()
print(json.dumps({"seconds": executions}))
"""


def test_versions_have_their_own_folders_and_a_warm_row_is_not_measured_at_first(
    tmp_path: Path,
) -> None:
    versions = {name: Version(ROOT, tmp_path / "compiled") for name in ("before", "now")}
    for name in versions:
        (tmp_path / name).mkdir()
    row = Row(("-c", COUNTS, "{out}"), "seconds", warm=True)
    found = compare(row, versions, tmp_path, rounds=2)
    assert found == {"before": [2, 3], "now": [2, 3], "times_as_fast": 1}
    assert table({"a row": found}).splitlines()[-1] == "| a row | 2.5 s | 2.5 s | 1.00 |"


def test_rows_have_titles_and_a_grid_that_both_versions_read(tmp_path: Path) -> None:
    found = rows(scale_of("cpu", tmp_path, quick=True), tmp_path)
    assert (tmp_path / "heads.toml").exists()
    assert [row.figure for title, row in found.items() if "ViT-B/16" in title] == [
        "step_seconds",
        "step_seconds",
    ]
