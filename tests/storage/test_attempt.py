from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from ltbench.config.resolve import resolve
from ltbench.errors import BusyError
from ltbench.io.batch_job import batch_job, is_restarted_job
from ltbench.registry.registry import Registry
from ltbench.storage import attempt
from ltbench.storage.result_schema import RunDescription
from ltbench.storage.run_directory import RunDirectory


@pytest.fixture
def directory(tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    for name in ("SLURM_JOB_ID", "SLURM_RESTART_COUNT"):
        monkeypatch.delenv(name, raising=False)
    spec = resolve(registry, {}, Path("data")).spec
    made = RunDirectory.of(tmp_path, spec)
    made.begin(RunDescription.of(spec))
    return made


def test_an_attempt_that_was_replaced_saves_nothing(directory: RunDirectory) -> None:
    directory.make_checkpoint_folder()  # no attempt has begun
    first = directory.start_attempt()
    first.make_checkpoint_folder()
    second = directory.start_attempt()
    assert first == second == directory
    with pytest.raises(BusyError, match=r"another process has begun .*: process \d+ on "):
        first.make_checkpoint_folder()
    second.make_checkpoint_folder()
    (directory.path / "attempt.json").unlink()  # another one has cleared the directory
    with pytest.raises(BusyError, match="another process has begun"):
        second.expect_own_attempt()


def test_a_later_attempt_for_the_same_request_continues(directory: RunDirectory) -> None:
    assert not directory.is_continued("a")
    directory.start_attempt("a")
    assert directory.is_continued("a")
    assert not directory.is_continued("b")
    assert not directory.is_continued("")
    directory.start_attempt()
    assert not directory.is_continued("")
    (directory.path / "attempt.json").write_text("{")
    assert not directory.is_continued("a")


def test_a_job_that_the_queue_has_restarted_continues(
    directory: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (batch_job(), is_restarted_job()) == ("", False)
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    directory.start_attempt()
    assert json.loads((directory.path / "attempt.json").read_text())["job"] == "slurm-17"
    assert not directory.is_continued("")  # a second command of the same job
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert directory.is_continued("")
    monkeypatch.setenv("SLURM_JOB_ID", "18")
    assert not directory.is_continued("")


def test_the_lock_of_an_earlier_attempt_is_waited_for(
    directory: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "_POLL_SECONDS", 0.01)
    directory.start_attempt("a")
    with directory.lock(tmp_path), pytest.raises(BusyError), directory.lock(tmp_path, "b"):
        pass
    held, ended = threading.Event(), threading.Event()

    def hold() -> None:
        with directory.lock(tmp_path):
            held.set()
            ended.wait(10)

    predecessor = threading.Thread(target=hold)
    predecessor.start()
    assert held.wait(10)
    threading.Timer(0.05, ended.set).start()
    with directory.lock(tmp_path, "a"):
        assert ended.is_set()
    predecessor.join()
    monkeypatch.setattr(attempt, "PREDECESSOR_SECONDS", -1.0)
    with directory.lock(tmp_path), pytest.raises(BusyError), directory.lock(tmp_path, "a"):
        pass
