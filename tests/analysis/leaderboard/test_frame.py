"""Leaderboards as data frames."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from ltbench.analysis.leaderboard.board import build_leaderboard
from ltbench.analysis.leaderboard.files import to_csv
from ltbench.analysis.leaderboard.frame import leaderboard_frame
from ltbench.analysis.leaderboard.rows import COLUMNS, Row
from ltbench.published import PublishedResult
from ltbench.registry.registry import Registry
from ltbench.storage.results import find_runs
from tests.runs import spec_of, store

DTYPES = {column.name: column.metadata["dtype"] for column in COLUMNS}
COMMITTED = Path(__file__).parents[3] / "benchmarks/results/digits/methods/leaderboard.csv"


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """The rows of a frame, with None for what is unknown."""
    return [
        Row(**{key: None if pd.isna(value) else value for key, value in record.items()})
        for record in frame.to_dict("records")
    ]


@pytest.fixture
def rows(tmp_path: Path, registry: Registry) -> list[Row]:
    for seed in range(2):
        store(tmp_path, spec_of(registry, method="lora", seed=seed), skill=2.0)
        store(tmp_path, spec_of(registry, method="full", seed=seed), skill=0.0)
    paper = PublishedResult(
        dataset="digits_lt",
        backbone="RN",
        method="=evil",
        metrics={"accuracy": 90},
        source="Paper",
    )
    cells = find_runs([tmp_path]).cells()
    return build_leaderboard(cells, registry, published=[paper]).rows()


def test_a_frame_has_the_numbers_and_types_of_the_csv(rows: list[Row]) -> None:
    frame = leaderboard_frame(rows)
    read = pd.read_csv(io.StringIO(to_csv(rows)), dtype=DTYPES)
    read["method"] = read["method"].str.removeprefix("'")  # keeps spreadsheets from computing it
    pd.testing.assert_frame_equal(frame, read, check_exact=True)
    assert frame["method"].tolist() == ["lora", "full", "=evil"]
    assert frame["rank"].isna().tolist() == [False, False, True]
    assert frame["accuracy"].iloc[-1] == 90.0


def test_columns_of_nothing_have_their_types() -> None:
    unknown = Row(dataset="a", method="b", source="measured", spec="")
    for frame in (leaderboard_frame([]), leaderboard_frame([unknown])):
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES
    assert to_csv([]) == ",".join(DTYPES) + "\r\n"


def test_the_committed_csv_is_written_again_to_the_byte() -> None:
    rows = rows_of(pd.read_csv(COMMITTED, dtype=DTYPES))
    assert len(rows) == 7
    assert to_csv(rows).encode() == COMMITTED.read_bytes()


def test_rows_of_a_ranking_group_as_in_pandas(rows: list[Row]) -> None:
    best = leaderboard_frame(rows).query("source == 'measured'").groupby("dataset")["few"].max()
    assert best["digits_lt"] == max(row.few for row in rows if row.few is not None)
