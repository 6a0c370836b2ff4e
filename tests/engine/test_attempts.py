from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ltbench.engine.run import RuntimeConfig, execute
from ltbench.errors import BusyError, Stopped
from ltbench.progress import SilentReporter
from ltbench.storage.run_directory import RunDirectory
from tests.grid.grids import Folder


@pytest.fixture
def folder(tmp_path: Any, registry: Any) -> Folder:
    return Folder(tmp_path, registry)


class Notes(SilentReporter):
    """Keeps the notes of a run."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_restarted_job_continues_what_it_was_to_do_again(folder: Folder) -> None:
    (run,) = folder.read("seed = 0\n").runs

    def again(command_id: str, stop: bool) -> list[str]:
        notes, runtime = Notes(), RuntimeConfig(folder.out, "cpu", 0, command_id=command_id)
        stops = (lambda rows: stop) if stop else None
        execute(run.resolved, folder.registry, runtime, "always", notes, stop_after=stops)
        return [note for note in notes.notes if note.startswith("resuming")]

    with pytest.raises(Stopped):
        again("a", stop=True)
    assert again("a", stop=False) == ["resuming training after epoch 1 of 2"]
    result = RunDirectory.of(folder.out, run.resolved.spec).finished()
    assert again("a", stop=False) == []  # the job was started again after its result was written
    assert RunDirectory.of(folder.out, run.resolved.spec).finished() == result
    with pytest.raises(Stopped):
        again("b", stop=True)  # another command clears it
    assert RunDirectory.of(folder.out, run.resolved.spec).result() is None
    assert again("c", stop=False) == []


def test_a_process_that_another_one_has_replaced_stops(folder: Folder) -> None:
    (run,) = folder.read("seed = 0\n").runs
    directory = RunDirectory.of(folder.out, run.resolved.spec)

    def replace(rows: Sequence[Mapping[str, Any]]) -> bool:
        directory.start_attempt()  # its lock was lost
        return False

    runtime = RuntimeConfig(folder.out, "cpu", 0)
    with pytest.raises(BusyError, match="another process has begun"):
        execute(
            run.resolved, folder.registry, runtime, "never", SilentReporter(), stop_after=replace
        )
    assert directory.failure() is None
    assert len(directory.history()) == 1
    result = execute(run.resolved, folder.registry, runtime, "never", SilentReporter())
    assert result.training.epochs == 2


def test_a_process_that_was_replaced_while_it_evaluates_writes_nothing(folder: Folder) -> None:
    (run,) = folder.read("seed = 0\n").runs
    directory = RunDirectory.of(folder.out, run.resolved.spec)

    class Replacing(SilentReporter):
        def start(self, what: str, images: int, epoch: int = 0, epochs: int = 0) -> None:
            if what == "evaluating":
                directory.start_attempt()

    runtime = RuntimeConfig(folder.out, "cpu", 0)
    with pytest.raises(BusyError, match="another process has begun"):
        execute(run.resolved, folder.registry, runtime, "never", Replacing())
    assert directory.learned.exists()
    assert not list(directory.path.glob("predictions-*"))
