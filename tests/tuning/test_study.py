from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.errors import BusyError, ConfigError, DataError
from ltbench.tuning.study import open_study, study_folder
from ltbench.tuning.study_file import TRIALS
from tests.tuning.records import study_record, trial


def test_a_study_is_continued_and_its_budget_raised(tmp_path: Path) -> None:
    with open_study(tmp_path, study_record()) as study:
        study.add(trial(0, value=40.0))
        study.add(trial(1, value=60.0))
        study.add(trial(2, value=60.0))
    with open_study(tmp_path, study_record(budget=5)) as study:
        assert [one.value for one in study.trials] == [40.0, 60.0, 60.0]
        best = study.best("lift_plus")
        assert best is not None
        assert best.number == 1  # of equal ones the first
        assert study.best("full") is None
    with (
        pytest.raises(ConfigError, match="--budget: expected at least 3"),
        open_study(tmp_path, study_record(budget=2)),
    ):
        pass


def test_another_study_in_the_folder_is_an_error(tmp_path: Path) -> None:
    with open_study(tmp_path, study_record()):
        pass
    other = study_record(seed=1, metric="few")
    with (
        pytest.raises(ConfigError, match="with other seed, metric"),
        open_study(tmp_path, other),
    ):
        pass


def test_one_process_runs_a_study(tmp_path: Path) -> None:
    with (
        open_study(tmp_path, study_record()),
        pytest.raises(BusyError, match="running the study"),
        open_study(tmp_path, study_record()),
    ):
        pass


def test_a_damaged_record_is_no_new_study(tmp_path: Path) -> None:
    with open_study(tmp_path, study_record()) as study:
        study.add(trial())
    (tmp_path / TRIALS).write_text("{}\n")
    with pytest.raises(DataError), open_study(tmp_path, study_record()):
        pass


def test_the_folder_follows_from_the_search() -> None:
    record = study_record()
    folder = study_folder(Path("runs"), record, None)
    assert folder == Path("runs/.tuning/studies") / f"lift_plus-{record.identity}"
    assert study_folder(Path("runs"), record, "mine").name == "mine"
