from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ltbench.errors import DataError
from ltbench.tuning.study_file import (
    STUDY,
    TRIALS,
    read_study,
    read_trials,
    write_study,
    write_trials,
)
from tests.tuning.records import SPACE, study_record, trial


def test_a_study_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = study_record()
    assert read_study(tmp_path) is None
    assert read_trials(tmp_path, record) == []
    write_study(tmp_path / "new", record)
    assert read_study(tmp_path / "new") == record
    assert record.methods[0].as_space() == SPACE
    trials = [trial(0, scores=[50.0]), trial(1, value=None, scores=[40.0])]
    write_trials(tmp_path, trials)
    assert read_trials(tmp_path, record) == trials


def test_the_identity_leaves_out_the_budget_alone() -> None:
    record = study_record()
    assert study_record(budget=9).identity == record.identity
    others: list[dict[str, Any]] = [
        {"seed": 1},
        {"sampler": "tpe"},
        {"metric": "few"},
        {"prune": "rule"},
        {"settings": {}},
        {"select": "last"},
    ]
    assert len({study_record(**one).identity for one in others} | {record.identity}) == 7


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"schema": 2}, "expected schema 1"),
        ({"schema": "1"}, "was not written by ltbench"),
        ({"seed": "0"}, "seed"),
        ({"budget": 0}, "budget"),
        ({"more": 1}, "more"),
        ({"methods": [{"method": "a b", "space": [], "start": None}]}, "method"),
    ],
)
def test_a_study_that_was_edited_is_refused(
    tmp_path: Path, changed: dict[str, Any], fault: str
) -> None:
    write_study(tmp_path, study_record())
    path = tmp_path / STUDY
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises(DataError, match=fault) as error:
        read_study(tmp_path)
    assert str(path) in error.value.message


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"number": 1}, "line 1: number: expected 0, got 1"),
        ({"method": "full"}, "it is no trial of this study"),
        ({"settings": {"train.lr": 0.01}}, "it is no trial of this study"),
        ({"settings": {"train.lr": 5.0, "method.dim": 4}}, "it is no trial of this study"),
        ({"value": None}, "value: expected a number"),
        ({"state": "good"}, "state"),
        ({"scores": [101.0]}, "scores"),
        ({"scores": [1.0]}, "scores: expected at most one for each trained epoch"),
        ({"seconds": -1.0}, "seconds"),
        ({"hash": "x"}, "hash"),
    ],
)
def test_a_trial_that_was_edited_is_refused(
    tmp_path: Path, changed: dict[str, Any], fault: str
) -> None:
    stored = {**trial().model_dump(mode="json"), **changed}
    (tmp_path / TRIALS).write_text(json.dumps(stored) + "\n")
    with pytest.raises(DataError, match=fault):
        read_trials(tmp_path, study_record())


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\n", b'{"a": NaN}\n'])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    for name in (STUDY, TRIALS):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError):
        read_study(tmp_path)
    with pytest.raises(DataError):
        read_trials(tmp_path, study_record())


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / STUDY).mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        read_study(tmp_path)
