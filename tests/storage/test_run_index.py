"""The index of a folder answers as the runs do, or not at all."""

from __future__ import annotations

import json
import operator
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from ltbench.config.runspec import canonical
from ltbench.errors import ConfigError
from ltbench.registry.registry import Registry
from ltbench.specs import SPECS
from ltbench.storage import index_columns, index_file, index_rows, run_index
from ltbench.storage.environment_schema import Environment
from ltbench.storage.result_schema import NUMBERS, Metrics, RunResult
from ltbench.storage.results import Cell, find_runs
from ltbench.storage.run_lookup import find_run
from ltbench.storage.run_table import RunTable
from tests.runs import spec_of, store

OLD = Path(__file__).parents[1] / "data" / "results"


@pytest.fixture
def runs(tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four runs, which are enough for an index, and which count as old."""
    for seed in range(2):
        for method in ("lift_plus", "zero_shot"):
            store(tmp_path / "runs", spec_of(registry, method=method, seed=seed))
    monkeypatch.setattr(run_index, "MIN_NEW_RUNS", 1)
    monkeypatch.setattr(run_index, "UNSETTLED_NS", -(10**12))
    return tmp_path / "runs"


def index_of(runs: Path) -> Path:
    return runs / index_file.NAME


def read_files(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Returns the list to which the run directories are added that are read from now on."""
    read: list[Path] = []
    finished = run_index.RunDirectory.finished

    def noted(self: run_index.RunDirectory) -> RunResult:
        read.append(self.path)
        return finished(self)

    monkeypatch.setattr(run_index.RunDirectory, "finished", noted)
    return read


def test_results_are_the_same_with_an_index(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(OLD / "schema-1", runs / "old")  # migrated, with another hash
    path = next(runs.glob("digits_lt/*/zero_shot/*"))
    stored = json.loads((path / "result.json").read_text())
    stored["metrics"]["per_class"][2] = None
    stored["metrics"]["accuracy"] = 0.1 + 0.2
    (path / "result.json").write_text(json.dumps(stored))
    direct = find_runs([runs])
    assert index_of(runs).exists()
    read = read_files(monkeypatch)
    indexed = find_runs([runs])
    assert not read
    assert [run.path for run in indexed.runs] == [run.path for run in direct.runs]
    assert indexed.skipped == direct.skipped
    for one, other in zip(direct.runs, indexed.runs, strict=True):
        assert (one.key, one.hash, repr(one)) == (other.key, other.hash, repr(other))
        assert one.spec == other.spec
        assert one.spec.hash == other.spec.hash
        assert json.dumps(one.to_dict()) == json.dumps(other.to_dict())
        assert one == other
        assert other == one
        assert one.model_copy(update={"directory": ""}) != other
    by_cell = [[run.path for run in cell.runs] for cell in indexed.cells()]
    assert by_cell == [[run.path for run in cell.runs] for cell in direct.cells()]
    columns = ["hash", "train.lr", "accuracy", "training.seconds"]
    tables = [RunTable.of(found.runs, columns) for found in (direct, indexed)]
    assert tables[0].rows == tables[1].rows


def test_parts_of_indexed_results_are_those_of_the_files(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [*index_columns.AMOUNTS, "metrics.numbers", "metrics.shot_rule", "metrics.per_class"]
    names += ["environment", "refinement", "learned.total", "spec.seed", "hash", "evaluation"]
    direct = find_runs([runs]).runs
    read = read_files(monkeypatch)
    for one, other in zip(direct, find_runs([runs]).runs, strict=True):
        reader = other.reader()
        assert reader == other._read_field
        for name in names:
            assert operator.attrgetter(name)(one) == one.peek(name) == other.peek(name)
            assert reader(name) == one.peek(name)
        assert vars(other).keys() == {"hash", "earlier_hash"}
        assert (other.seed, other.key) == (one.seed, one.key)
        changed = other.model_copy(update={"peak_memory_mb": 1.0, "spec": one.spec.with_seed(9)})
        assert changed.reader()("peak_memory_mb") == changed.peek("peak_memory_mb") == 1
        assert (changed.seed, changed.cell_spec.seed) == (9, 9)
    assert not read


def test_parts_of_a_cell_are_those_of_its_runs_also_where_one_was_changed(runs: Path) -> None:
    find_runs([runs])
    found = find_runs([runs]).runs
    changed = found[0].model_copy(update={"peak_memory_mb": 1.0, "refinement": None})
    assert found[1].spec.seed == found[1].seed  # now it has a field of its own
    cell = Cell("key", (changed, *found[1:]))
    assert cell._rows is not None
    for name in (*index_columns.AMOUNTS, "metrics.shot_rule", "refinement", "metrics.ece"):
        assert cell.parts(name) == [run.peek(name) for run in cell.runs]
    assert cell.parts("peak_memory_mb")[0] == 1.0


def test_runs_of_a_cell_share_their_choices(runs: Path) -> None:
    find_runs([runs])
    found = find_runs([runs]).runs
    assert len({id(run.cell_spec) for run in found}) == len({run.key for run in found})
    assert all(run.cell_spec.with_seed(run.seed) == run.spec for run in found)


def test_the_index_of_a_folder_above_is_used(
    runs: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = runs / "digits_lt" / "clip_tiny" / "lift_plus"
    direct = find_runs([below]).runs
    index_of(below).unlink()
    find_runs([runs])
    read = read_files(monkeypatch)
    monkeypatch.chdir(below.parent)
    found = find_runs([Path("lift_plus")]).runs
    assert [run.path for run in found] == [Path("lift_plus", run.path.name) for run in direct]
    assert [run.to_dict() for run in found] == [run.to_dict() for run in direct]
    assert not index_of(below).exists()
    assert not read
    added = store(runs, spec_of(registry, seed=7))
    assert len(find_runs([below]).runs) == 3
    assert read == [added]
    index_of(runs).unlink()
    assert len(find_runs([below]).runs) == 3  # all have been renamed for an index of its own
    assert read == [added]
    monkeypatch.setattr(run_index, "MIN_NEW_RUNS", 5)
    index_of(below).unlink()
    find_runs([below])
    assert len(read) == 4  # of few runs, the index above takes longer than the files


def test_damaged_choices_are_read_from_the_files(runs: Path) -> None:
    direct = find_runs([runs]).runs
    file = index_file.IndexFile.open(runs)
    assert file is not None
    rows = index_rows.Rows(file.rows, file.details)
    rows._pools["run.method"] = ["{" for _ in rows._pools["run.method"]]
    one = direct[0]
    result = rows.result(rows.names.index(str(one.path.relative_to(runs))), str(one.path))
    assert (result.seed, result.key, result.spec) == (one.seed, one.key, one.spec)
    assert result.peek("spec.method") == one.spec.method


def test_a_run_is_found_by_its_hash_in_the_index(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = find_runs([runs]).runs[1].path
    assert index_of(runs).exists()
    listed: list[str] = []
    scandir = os.scandir

    def noted(folder: str) -> Any:
        listed.append(str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", noted)
    assert find_run(path.name[:8], runs) == path
    assert listed
    assert str(path) not in listed
    with pytest.raises(ConfigError, match="one of the 4 runs"):
        find_run("ffffffffffff", runs)


def test_every_field_has_a_column() -> None:
    of_result = {*index_columns.SHARED, *index_columns.OWN, "environment", "metrics"}
    of_result |= {name for name in index_columns.AMOUNTS if "." not in name}
    assert of_result | {"hash", "earlier_hash", "spec"} == set(RunResult.model_fields)
    details = {*NUMBERS, *index_columns.OF_METRICS, *index_columns.DETAILS}
    assert details == set(Metrics.model_fields)
    assert "command" in Environment.model_fields


def test_only_changed_runs_are_read(
    runs: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = find_runs([runs]).runs
    read = read_files(monkeypatch)
    added = store(runs, spec_of(registry, method="lora"))
    gone, changed, kept = before[0].path, before[1].path, before[2:]
    shutil.rmtree(gone)
    stored = json.loads((changed / "result.json").read_text())
    stored["peak_memory_mb"] = 77.0
    (changed / "result.json").write_text(json.dumps(stored))
    after = {run.path: run for run in find_runs([runs]).runs}
    assert sorted(read) == sorted([added, changed])
    assert after.keys() == {added, changed, *(run.path for run in kept)}
    assert after[changed].peak_memory_mb == 77.0
    read.clear()
    assert len(find_runs([runs]).runs) == 4
    assert not read
    shutil.move(runs, runs.with_name("moved"))  # names are relative to the folder
    assert {run.path for run in find_runs([runs.with_name("moved")]).runs} == {
        runs.with_name("moved") / path.relative_to(runs) for path in after
    }
    assert not read


def test_an_unfinished_run_is_no_longer_known(runs: Path) -> None:
    path = find_runs([runs]).runs[0].path
    (path / "result.json").unlink()
    found = find_runs([runs])
    assert (len(found.runs), [one.path for one in found.skipped]) == (3, [path])


def test_runs_that_have_just_changed_are_read_again(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second change within the resolution of a time stamp would go unnoticed."""
    monkeypatch.setattr(run_index, "UNSETTLED_NS", 2 * 10**9)
    before = find_runs([runs]).runs
    assert not index_of(runs).exists()
    path = before[0].path / "result.json"
    about, text = path.stat(), path.read_text()
    path.write_text(text.replace('"fp32"', '"bf16"'))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert find_runs([runs]).runs[0].environment.precision == "bf16"


@pytest.mark.parametrize("place", [0, 30, 200, -3000, -40], ids=str)
def test_a_damaged_index_is_not_used(runs: Path, place: int) -> None:
    direct = find_runs([runs]).runs
    content = bytearray(index_of(runs).read_bytes())
    content[place] ^= 1
    index_of(runs).write_bytes(bytes(content))
    again = find_runs([runs]).runs
    assert [run.to_dict() for run in again] == [run.to_dict() for run in direct]
    assert [run.metrics.per_class for run in again] == [run.metrics.per_class for run in direct]


def test_what_is_no_index_is_not_used(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    direct = [run.to_dict() for run in find_runs([runs]).runs]
    content, index = index_of(runs).read_bytes(), index_of(runs)
    read = read_files(monkeypatch)
    for other in (b"", b"\n", b"ltbench-index", content[:500], content[:-1], os.urandom(3000)):
        index.write_bytes(other)
        read.clear()
        assert [run.to_dict() for run in find_runs([runs]).runs] == direct
        assert len(read) >= 4
    index.unlink()
    os.mkfifo(index)  # opening one waits for a writer, elsewhere
    assert [run.to_dict() for run in find_runs([runs]).runs] == direct
    for form in ("FORM", "SCHEMA"):
        find_runs([runs])
        with monkeypatch.context() as other_version:
            other_version.setattr(index_file, form, 99)
            read.clear()
            find_runs([runs])
            assert len(read) == 4
    foreign = index_file.IndexFile.open(runs)
    assert foreign is None  # it was replaced by one of the other version


def test_a_folder_that_cannot_be_written_has_no_index(runs: Path) -> None:
    (index_of(runs) / "full").mkdir(parents=True)  # for root, permissions are no obstacle
    assert len(find_runs([runs]).runs) == 4
    assert [path.name for path in runs.iterdir() if path.name != "digits_lt"] == [index_file.NAME]


def test_a_run_in_a_folder_with_an_undecodable_name_is_read_each_time(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = Path(os.fsdecode(os.fsencode(runs) + b"/copied\xff"))
    try:
        shutil.move(runs / "digits_lt" / "clip_tiny" / "zero_shot", odd)
    except OSError:  # file systems whose names are Unicode
        return
    direct = [run.to_dict() for run in find_runs([runs]).runs]
    read = read_files(monkeypatch)
    assert [run.to_dict() for run in find_runs([runs]).runs] == direct
    assert [path.parent for path in read] == [odd] * (len(direct) // 2)


def test_a_second_table_with_fewer_rows_is_not_used(runs: Path) -> None:
    direct = [run.to_dict() for run in find_runs([runs]).runs]
    index = index_file.IndexFile.open(runs)
    assert index is not None
    index_file.write_index(runs, [index.rows, index.details().slice(0, 1)])
    assert [run.to_dict() for run in find_runs([runs]).runs] == direct


def test_few_runs_have_no_index(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_index, "MIN_NEW_RUNS", 5)
    find_runs([runs])
    assert not index_of(runs).exists()


def test_many_results_are_packed_while_they_are_read(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct = [run.to_dict() for run in find_runs([runs]).runs]
    index_of(runs).unlink()
    monkeypatch.setattr(run_index, "PACKED_RUNS", 3)
    found = find_runs([runs]).runs
    assert sum(run._read_field is not None for run in found) == 3
    assert [run.to_dict() for run in found] == direct
    assert [run.to_dict() for run in find_runs([runs]).runs] == direct


def test_the_key_of_a_cell_is_its_canonical_json(registry: Registry) -> None:
    for settings in ({}, {"method": "lora", "optimizer": "adamw"}, {"limit": 3}):
        spec = spec_of(registry, seed=3, **settings)
        assert spec.cell_key == canonical(spec.to_dict(), without="seed")
        other = spec.with_seed(7)
        assert other.cell_key is spec.cell_key
        assert other.hash == spec_of(registry, seed=7, **settings).hash != spec.hash


def test_kinds_are_no_fields_of_a_result() -> None:
    assert index_columns.spec_columns() == (
        *(f"run.{kind}" for kind in SPECS),
        "run.train",
        "run.settings",
    )
