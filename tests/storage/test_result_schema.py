from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import ltbench
from ltbench.config.runspec import hash_of
from ltbench.errors import DataError
from ltbench.registry.registry import Registry
from ltbench.storage.environment_schema import Environment
from ltbench.storage.result_schema import Failure, RunResult
from ltbench.storage.run_directory import RunDirectory
from tests.runs import ENVIRONMENT, altered, spec_of, store

OLD = Path(__file__).parents[1] / "data" / "results"


@pytest.fixture
def stored(tmp_path: Path, registry: Registry) -> RunResult:
    return ltbench.load_run(store(tmp_path / "runs", spec_of(registry, seed=3)))


def test_a_result_is_read_as_it_was_written(stored: RunResult) -> None:
    content = json.loads((stored.path / "result.json").read_text())
    assert stored.to_dict() == content
    assert list(content)[:3] == ["schema", "hash", "run"]
    assert (stored.spec.hash, stored.seed, stored.spec.seed) == (stored.hash, 3, 3)


def test_only_quick_looks_have_the_keys_of_quick_looks(
    stored: RunResult, tmp_path: Path, registry: Registry
) -> None:
    spec = json.loads((stored.path / "spec.json").read_text())
    for content in (stored.to_dict(), spec):
        assert not {"limit", "fast"} & set(content["run"])
    quick = ltbench.load_run(store(tmp_path / "quick", spec_of(registry, limit=2)))
    content = json.loads((quick.path / "result.json").read_text())
    assert content["run"]["limit"] == 2
    assert "fast" not in content["run"]


@pytest.mark.parametrize("place", [(), ("metrics",), ("classes",), ("run",), ("run", "method")])
def test_keys_of_others_are_refused(stored: RunResult, place: tuple[str, ...]) -> None:
    content = held = stored.to_dict()
    for key in place:
        held = held[key]
    held["other"] = [1, 2]
    content["hash"] = hash_of(content["run"])
    (stored.path / "result.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"other: the key is unknown"):
        ltbench.load_run(stored.path)


def test_a_result_reads_the_files_beside_it_wherever_they_are(
    stored: RunResult, tmp_path: Path
) -> None:
    rows = [{"epoch": 0, "loss": 1.5}, {"epoch": 1, "loss": 1.0}]
    RunDirectory(stored.path).write_history(rows)
    moved = ltbench.load_run(shutil.move(stored.path, tmp_path / "moved"))
    assert (moved.path, moved.directory) == (tmp_path / "moved", str(stored.path))
    assert moved.history() == rows
    predictions, alone = moved.predictions(), moved.predicted_classes()
    assert (predictions.predicted == alone.predicted).all()


def test_notebooks_show_a_table(stored: RunResult) -> None:
    shown = altered(stored, {"metrics": {"few": None}})._repr_html_()
    assert "lift_plus on digits_lt with clip_tiny, seed 3" in shown
    assert f"<td>overall</td><td>{stored.metrics.accuracy:.1f}</td>" in shown
    assert "<td>few-shot</td><td></td>" in shown


def test_intervals_of_an_earlier_method_are_not_shown(stored: RunResult) -> None:
    low, high = stored.metrics.intervals["accuracy"] or (0.0, 0.0)
    shown = f"<td>{low:.1f} to {high:.1f}</td>"
    assert shown in stored._repr_html_()
    assert shown not in altered(stored, {"metrics": {"interval_method": None}})._repr_html_()


def test_a_directory_without_a_result_is_an_error(tmp_path: Path, stored: RunResult) -> None:
    with pytest.raises(DataError, match="is not a run directory"):
        ltbench.load_run(tmp_path)
    (stored.path / "result.json").unlink()
    with pytest.raises(DataError, match="is not finished"):
        ltbench.load_run(stored.path)
    RunDirectory(stored.path).write(Failure(error="too hot", hint="", kind="RunError"))
    with pytest.raises(DataError, match="has failed: too hot") as raised:
        ltbench.load_run(stored.path)
    assert "--overwrite failed" in raised.value.hint


def test_a_migrated_hash_is_told_with_the_one_of_the_files() -> None:
    path = next((OLD / "schema-1-samplings" / "lift_plus").iterdir())
    run = ltbench.load_run(path)
    assert run.earlier_hash == path.name != run.hash
    assert run.to_dict()["earlier_hash"] == path.name
    assert RunDirectory(path).hashes() == [run.hash, path.name]


def test_the_other_files_are_checked_too(stored: RunResult) -> None:
    directory = RunDirectory(stored.path)
    directory.write(ENVIRONMENT)
    directory.learned.touch()
    assert directory.resumed_precision() == "fp32"
    earlier = {**ENVIRONMENT.to_dict(), "schema": 2}
    del earlier["weights"]
    path = directory.path / Environment.FILE
    path.write_text(json.dumps(earlier))
    assert directory.resumed_precision() == "fp32"
    path.write_text(json.dumps({**earlier, "precision": "fp8"}))
    said = "environment.json: precision: expected 'fp32', 'bf16' or 'fp16', got 'fp8'"
    with pytest.raises(DataError, match=said):
        directory.resumed_precision()
    (directory.path / Failure.FILE).write_text('{"schema": 1, "error": "too hot", "hint": ""}')
    assert directory.failure() == Failure(error="too hot", hint="", kind="LTBenchError")
