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
