from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ltbench.errors import DataError
from ltbench.registry.registry import Registry
from ltbench.storage.diagnosis_schema import Diagnosis, read_diagnosis, write_diagnosis
from ltbench.storage.packing import pack
from ltbench.storage.result_schema import RunResult
from ltbench.storage.unpacking import add_pack
from tests.analysis.diagnosis.diagnosed import diagnosis_of, stored_run


@pytest.fixture
def run(tmp_path: Path, registry: Registry) -> RunResult:
    found = stored_run(tmp_path / "runs", registry)
    assert read_diagnosis(found) is None
    write_diagnosis(found, diagnosis_of(found))
    return found


def changed(run: RunResult, **values: Any) -> None:
    path = run.path / Diagnosis.FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_what_is_written_is_read(run: RunResult) -> None:
    assert read_diagnosis(run) == diagnosis_of(run)
    assert read_diagnosis(run, "pretrained") is None
    assert list(json.loads((run.path / "diagnosis.json").read_text()))[:2] == ["schema", "hash"]


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"hash": "0" * 12}, r"diagnosis\.json is of another run: expected hash"),
        ({"encoder": "pretrained"}, "expected encoder run, got pretrained"),
        ({"split": "val"}, "expected split test, got val"),
        ({"width": "12"}, "width: expected a valid integer"),
        ({"groups": {}}, "groups: "),
        ({"extra": 1}, "extra: the key is unknown"),
        ({"schema": 99}, "schema 99"),
    ],
)
def test_a_file_of_another_run_or_form_is_refused(
    run: RunResult, values: dict[str, Any], match: str
) -> None:
    changed(run, **values)
    with pytest.raises(DataError, match=match) as raised:
        read_diagnosis(run)
    assert raised.value.hint == f"move {run.path / 'diagnosis.json'} away, then diagnose again"


def test_columns_have_one_value_a_class(run: RunResult) -> None:
    stored = json.loads((run.path / Diagnosis.FILE).read_text())
    stored["classes"]["energy"] = stored["classes"]["energy"][:-1]
    changed(run, **stored)
    with pytest.raises(DataError, match=r"classes\.energy: expected 6 values, got 5"):
        read_diagnosis(run)


@pytest.mark.parametrize(
    ("place", "value", "match"),
    [
        ("groups few measures", {}, r"groups\.few\.measures: expected intra_train, "),
        ("groups few classes", 5, r"groups\.few\.classes: expected 2, as in train_images"),
        ("groups overall measures gap low", None, r"gap: expected an interval from low to high"),
        ("groups many measures ks", {"mean": 1.0, "low": 2.0, "high": 1.0, "classes": 2}, "ks: "),
        ("similarity by_groups few", {"few": 0.5}, r"similarity: by_groups: expected pairs of"),
        ("similarity heatmap order", [0, 0, 1, 2, 3, 4], r"heatmap: order: expected each class"),
        ("histograms edges", [0.0] * 401, r"histograms: edges: expected ascending numbers"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    run: RunResult, place: str, value: Any, match: str
) -> None:
    stored = json.loads((run.path / Diagnosis.FILE).read_text())
    *above, key = place.split()
    part = stored
    for name in above:
        part = part[name]
    part[key] = value
    changed(run, **stored)
    with pytest.raises(DataError, match=match):
        read_diagnosis(run)


def test_a_shot_rule_of_a_later_version_is_an_error(run: RunResult) -> None:
    changed(run, shot_rule="later")
    metrics = run.metrics.model_copy(update={"shot_rule": "later"})
    later = run.model_copy(update={"metrics": metrics}).at(run.path)
    for diagnosed in (read_diagnosis, diagnosis_of):
        with pytest.raises(DataError, match="shot rule later is unknown"):
            diagnosed(later)


def test_a_truncated_file_is_refused(run: RunResult) -> None:
    path = run.path / Diagnosis.FILE
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="is not JSON"):
        read_diagnosis(run)


def test_packs_carry_it_and_check_it(run: RunResult, tmp_path: Path) -> None:
    pack([run], tmp_path / "runs.zip")
    (added,) = add_pack(tmp_path / "runs.zip", tmp_path / "other")
    assert added.is_new
    copied = tmp_path / "other" / added.folder / "diagnosis.json"
    assert copied.read_bytes() == (run.path / "diagnosis.json").read_bytes()
    changed(run, split="val")
    with pytest.raises(DataError, match="another run"):
        pack([run], tmp_path / "again.zip")
