"""The committed runs still give the committed leaderboard."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from ltbench.analysis.leaderboard.board import build_leaderboard
from ltbench.analysis.leaderboard.files import to_csv
from ltbench.analysis.leaderboard.rows import COLUMNS
from ltbench.registry.registry import Registry
from ltbench.storage.results import find_runs

DIGITS = Path(__file__).parent.parent / "benchmarks" / "results" / "digits"
DTYPES = {column.name: column.metadata["dtype"] for column in COLUMNS}


def test_the_leaderboard_of_the_digits_is_that_of_its_runs(registry: Registry) -> None:
    found = find_runs([DIGITS / "runs"])
    assert len(found.runs) == 35
    assert not found.skipped
    board = build_leaderboard(found.cells(), registry)
    fresh = pd.read_csv(io.StringIO(to_csv(board.rows())), dtype=DTYPES)
    stored = pd.read_csv(DIGITS / "methods" / "leaderboard.csv", dtype=DTYPES)
    # P values are bootstrapped, and the last digits of Fourier transforms are the library's.
    pd.testing.assert_frame_equal(fresh, stored, rtol=1e-3)
