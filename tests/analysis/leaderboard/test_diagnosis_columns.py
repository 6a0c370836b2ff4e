"""Columns of leaderboards that come from stored diagnoses."""

from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.analysis.leaderboard.board import Leaderboard, build_leaderboard
from ltbench.analysis.leaderboard.diagnosis_columns import DIAGNOSIS_NAMES
from ltbench.analysis.leaderboard.display_columns import read_columns
from ltbench.analysis.leaderboard.frame import chosen_frame
from ltbench.analysis.leaderboard.tables import display_table
from ltbench.errors import DataError
from ltbench.published import PublishedResult
from ltbench.registry.registry import Registry
from ltbench.storage.diagnosis_schema import Diagnosis, write_diagnosis
from ltbench.storage.results import find_runs
from tests.analysis.diagnosis.diagnosed import diagnosis_of, stored_run


@pytest.fixture
def board(tmp_path: Path, registry: Registry) -> Leaderboard:
    """A method with a diagnosis of each seed, one that lacks a seed's, and a published row."""
    for method, seed, known in (("lora", 0, True), ("lora", 1, True), ("full", 0, False)):
        run = stored_run(tmp_path, registry, method=method, seed=seed)
        if known:
            write_diagnosis(run, diagnosis_of(run, seed=seed))
    paper = PublishedResult(
        dataset="digits_lt", backbone="RN", method="paper", metrics={"accuracy": 9}, source="Paper"
    )
    return build_leaderboard(find_runs([tmp_path]).cells(), registry, published=[paper])


def test_they_are_means_over_seeds_and_empty_where_not_stored(board: Leaderboard) -> None:
    frame = chosen_frame(board, ("method", *DIAGNOSIS_NAMES)).set_index("method")
    (cell,) = [e.cell for e in board.rankings[0].entries if e.cell.spec.method.name == "lora"]
    each = [diagnosis_of(run, seed=run.seed) for run in cell.runs]
    wanted = [one.groups["few"].measures["energy_excess"] for one in each]
    assert all(one is not None for one in wanted)
    mean = sum(one.mean for one in wanted if one is not None) / 2
    assert frame.loc["lora", "few_excess"] == pytest.approx(mean, abs=1e-4)
    assert frame.loc["lora", "few_gap"] == pytest.approx(50)  # half of the test images
    assert frame.loc[["full", "paper"], list(DIAGNOSIS_NAMES)].isna().all().all()


def test_tables_show_them_where_they_are_named(board: Leaderboard) -> None:
    names = read_columns(["method", "few_gap", "class_similarity"])
    table = display_table(board.rankings[0], board.published["digits_lt"], columns=names)
    assert list(table.texts.columns) == ["method", "few gap", "class similarity"]
    texts = table.texts.set_index("method")["few gap"]
    assert (texts["lora"], texts["full"], texts["paper *"]) == ("50.0", "", "")
    assert "few_excess" not in chosen_frame(board, None).columns


def test_a_damaged_diagnosis_is_an_error_where_a_column_is_named(
    board: Leaderboard,
) -> None:
    run = board.rankings[0].entries[0].cell.runs[0]
    (run.path / Diagnosis.FILE).write_text("{", encoding="utf-8")
    chosen_frame(board, ("method", "few"))
    with pytest.raises(DataError, match="is not JSON"):
        chosen_frame(board, ("method", "few_excess"))
