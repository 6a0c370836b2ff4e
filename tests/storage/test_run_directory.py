from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from ltbench.config.resolve import resolve
from ltbench.config.runspec import hash_of
from ltbench.errors import BusyError, DataError, RunError
from ltbench.registry.registry import Registry
from ltbench.storage.files import write_atomically, write_json
from ltbench.storage.result_schema import Failure, RunDescription
from ltbench.storage.run_directory import RunDirectory, file_clock, stored_result
from tests.runs import store


@pytest.fixture
def directory(tmp_path: Path, registry: Registry) -> RunDirectory:
    spec = resolve(registry, {}, Path("data")).spec
    made = RunDirectory.of(tmp_path, spec)
    made.begin(RunDescription.of(spec))
    return made


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"x": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"x": float("nan")})
    assert path.read_text() == '{\n  "x": 1\n}\n'
    (tmp_path / "folder").mkdir()
    with pytest.raises(RunError, match="folder cannot be written"):
        write_atomically(tmp_path / "folder", b"x")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a.json", "folder"]


def test_a_run_is_where_its_spec_says(directory: RunDirectory, tmp_path: Path) -> None:
    spec = directory.spec()
    expected = tmp_path / "digits_lt" / "clip_tiny" / "lift_plus" / spec.hash
    assert directory.path == expected


def test_results_failures_and_overwriting(directory: RunDirectory, tmp_path: Path) -> None:
    spec = directory.spec()
    assert stored_result(directory, "never") is None
    directory.write(Failure(error="too hot", hint="cool it", kind="RunError"))
    with pytest.raises(RunError, match="too hot"):
        stored_result(directory, "never")
    assert stored_result(directory, "failed") is None
    directory.forget_failure()
    store(tmp_path, spec)
    written = stored_result(directory, "never")
    assert written is not None
    assert written.path == directory.path
    assert stored_result(directory, "always") is None
    directory.clear()
    assert not directory.path.exists()


def test_broken_files_are_errors(directory: RunDirectory) -> None:
    (directory.path / "result.json").write_text('{"schema": 1, ')
    with pytest.raises(DataError, match="not JSON"):
        directory.result()
    for content, said in {
        '{"schema": 99}': "schema 99",
        "[]": "not written by ltbench",
        '{"schema": "1"}': "not written by ltbench",
        '{"schema": 0}': "not written by ltbench",
        '{"schema": 1}': "hash: the key is missing",
        "[" * 100_000: "not JSON",
    }.items():
        (directory.path / "result.json").write_text(content)
        with pytest.raises(DataError, match=said):
            directory.result()
    part = {"train": {}}
    changed = json.loads((directory.path / "spec.json").read_text())
    changed["run"]["seed"] = 5
    for content, said in {
        json.dumps({"schema": 1, "hash": hash_of(part), "run": part}): "is not of schema 1",
        json.dumps({"schema": 1, "hash": "x", "run": 3}): "does not describe a run",
        json.dumps({"schema": 1, "hash": "x", "run": part}): "describes another run than its hash",
        json.dumps(changed): "describes another run than its hash",
    }.items():
        (directory.path / "spec.json").write_text(content)
        with pytest.raises(DataError, match=said):
            directory.spec()
    with pytest.raises(DataError, match="not a run directory"):
        RunDirectory(directory.path.parent).spec()


def test_history_is_read_back(directory: RunDirectory) -> None:
    assert directory.history() == []
    rows = [{"epoch": 0, "loss": 1.5}, {"epoch": 1, "loss": 1.25}]
    directory.write_history(rows)
    assert directory.history() == rows


def _hold(path: Path, out: Path, held: object, done: object) -> None:
    with RunDirectory(path).lock(out):
        held.set()  # type: ignore[attr-defined]
        done.wait(30)  # type: ignore[attr-defined]


def test_two_processes_cannot_run_the_same(directory: RunDirectory, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(directory.path, tmp_path, held, done))
    other.start()
    try:
        assert held.wait(60)
        with pytest.raises(RunError, match="another process"), directory.lock(tmp_path):
            pass
    finally:
        done.set()
        other.join()
    with directory.lock(tmp_path):
        pass


def test_an_unwritable_folder_is_an_error(directory: RunDirectory, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunError, match="cannot be written"), directory.lock(tmp_path / "file"):
        pass


def test_a_claim_leaves_the_run_to_the_process_that_runs_it(
    directory: RunDirectory, tmp_path: Path
) -> None:
    assert not directory.is_busy(tmp_path)
    with directory.claim(tmp_path):
        with pytest.raises(BusyError), directory.claim(tmp_path):
            pass
        assert not directory.is_busy(tmp_path)
        with directory.lock(tmp_path):
            assert directory.is_busy(tmp_path)
    with directory.claim(tmp_path):
        pass
    assert not directory.is_busy(tmp_path)


def test_files_written_later_are_not_earlier_than_the_clock(tmp_path: Path) -> None:
    before = file_clock(tmp_path / "runs")
    (tmp_path / "runs/file").touch()
    assert before <= (tmp_path / "runs/file").stat().st_mtime <= file_clock(tmp_path / "runs")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["file"]
    with pytest.raises(RunError, match="cannot be written"):
        file_clock(tmp_path / "runs/file")
