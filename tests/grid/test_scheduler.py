from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ltbench.engine.run import RuntimeConfig, execute
from ltbench.errors import Interrupted
from ltbench.grid import scheduler, worker
from ltbench.grid.task import MAX_ATTEMPTS, Task
from ltbench.grid.worker import BUSY
from ltbench.jobs import Ended, Job, JobReport
from ltbench.progress import SilentReporter
from tests.grid.grids import Folder, InProcess

THREE = "seed = [0, 1, 2]\n"


def test_every_run_is_run_once_and_then_never_again(folder: Folder) -> None:
    grid = folder.read(THREE)
    first, second = InProcess(), InProcess()
    tasks = folder.run(grid, first)
    assert [task.state for task in tasks] == ["done"] * 3
    assert first.started == [run.resolved.spec.hash for run in grid.runs]
    assert all(task.found.figures and not task.earlier for task in tasks)
    again = folder.run(grid, second)
    assert second.started == []
    assert all(task.earlier and task.state == "done" for task in again)


def test_the_result_tells_the_command_that_makes_it_again(folder: Folder) -> None:
    (task,) = folder.run(folder.read("seed = 4\n"))
    command = task.found.directory.finished().environment.command
    assert command[:2] == ["ltbench", "run"]
    assert {"seed=4", "dataset.largest=10", "train.epochs=2", "method=classifier_only"} <= {
        *command
    }


def test_one_that_fails_does_not_stop_the_rest_and_is_kept(folder: Folder) -> None:
    grid = folder.read("""
        [[include]]
        init = ["semantic", "random"]    # a ResNet of timm has no texts
        backbone = "timm"
        "backbone.model" = "test_resnet.r160_in1k"
        "backbone.pretrained" = false
    """)
    executor = InProcess()
    first, second = folder.run(grid, executor)
    assert (first.state, second.state) == ("failed", "done")
    assert "text tower" in first.found.error
    assert first.found.directory.spec() == first.run.resolved.spec

    kept = folder.run(grid, executor)
    assert [task.state for task in kept] == ["failed", "done"]
    assert all(task.earlier for task in kept)
    assert len(executor.started) == 2
    folder.run(grid, executor, "failed")
    assert executor.started[2:] == [first.run.resolved.spec.hash]
    folder.run(grid, executor, "always")
    assert len(executor.started) == 5


def test_a_crash_is_recorded_with_its_reason_and_tried_again_when_told(folder: Folder) -> None:
    grid = folder.read(THREE)
    victim = grid.runs[1].resolved.spec.hash

    def crash(name: str) -> Ended | None:
        return Ended(name, -9, "killed by SIGKILL") if name == victim else None

    tasks = folder.run(grid, InProcess(before=crash))
    assert [task.state for task in tasks] == ["done", "failed", "done"]
    failure = tasks[1].found.directory.failure()
    assert failure is not None
    assert failure.error == tasks[1].found.error
    assert failure.error == "its process ended without a result (killed by SIGKILL)"
    assert [task.state for task in folder.run(grid, overwrite="failed")] == ["done"] * 3


def test_a_run_that_finishes_while_its_crash_is_recorded_is_done(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = folder.read("seed = 0\n")
    jobs: list[Job] = []

    class Lost(InProcess):
        def start(self, job: Job) -> None:
            jobs.append(job)  # its process goes on, and its end is not known
            self._ended.append(Ended(job.name, None, "the fork server has ended (-9)"))

    def finish(*arguments: Any) -> bool:
        monkeypatch.setattr(scheduler, "record_failure", record_failure)
        argv = list(sys.argv)
        assert worker.main(jobs[0].command[-1:]) == 0
        monkeypatch.setattr(sys, "argv", argv)
        return record_failure(*arguments)

    record_failure = scheduler.record_failure
    monkeypatch.setattr(scheduler, "record_failure", finish)
    (task,) = folder.run(grid, Lost())
    assert task.state == "done"
    assert not list(folder.out.rglob("failure.json"))


def test_a_crash_before_anything_leaves_the_earlier_result(folder: Folder) -> None:
    grid = folder.read("seed = 0\n")
    (done,) = folder.run(grid)
    result = done.found.directory.finished()
    (crashed,) = folder.run(grid, InProcess(before=lambda name: Ended(name, 1, "")), "always")
    assert crashed.state == "failed"
    assert crashed.found.directory.result() == result


def test_a_run_that_somebody_interrupts_is_no_failure(folder: Folder) -> None:
    grid = folder.read("seed = 0\n")
    (task,) = folder.run(grid, InProcess(before=lambda name: Ended(name, 130, "")))
    assert task.state == "to do"
    assert task.found.directory.failure() is None
    (task,) = folder.run(grid)
    assert task.state == "done"


def test_runs_of_another_grid_are_waited_for(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltbench.grid.task.RETRY_SECONDS", 0.2)
    grid = folder.read(THREE)
    executor = InProcess()
    schedule = folder.schedule(grid, executor)
    theirs = schedule.tasks[0]
    with ExitStack() as other:
        other.enter_context(theirs.found.directory.claim(folder.out))

        def show(task: Task | None) -> None:
            assert theirs.elsewhere or theirs.settled
            if all(one.settled for one in schedule.tasks[1:]) and not theirs.settled:
                runtime = RuntimeConfig(out=folder.out, device="cpu", workers=0)
                execute(theirs.run.resolved, folder.registry, runtime, "never", SilentReporter())
                other.close()

        schedule.run(show)
    assert executor.started == [task.run.resolved.spec.hash for task in schedule.tasks[1:]]
    assert [task.state for task in schedule.tasks] == ["done"] * 3
    assert theirs.seconds is None


def test_a_busy_run_is_tried_again_later(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltbench.grid.task.RETRY_SECONDS", 0.1)
    answers = [BUSY]
    executor = InProcess(before=lambda name: Ended(name, answers.pop()) if answers else None)
    (task,) = folder.run(folder.read("seed = 0\n"), executor)
    assert task.state == "done"
    assert len(executor.started) == 2


def test_what_another_command_did_meanwhile_is_not_done_again(folder: Folder) -> None:
    grid = folder.read("seed = [0, 1]\n")
    folder.run(grid)
    executor = InProcess()
    schedule = folder.schedule(grid, executor, "always")
    assert not any(task.settled for task in schedule.tasks)
    later = time.time() + 1  # another command has just done it
    os.utime(schedule.tasks[0].found.directory.path / "result.json", (later, later))
    schedule.run(lambda task: None)
    assert executor.started == [schedule.tasks[1].run.resolved.spec.hash]


def test_ctrl_c_stops_the_executor_and_says_how_far_it_came(folder: Folder) -> None:
    stopped = []

    class Stopping(InProcess):
        def stop(self) -> None:
            stopped.append(True)

    def interrupt(name: str) -> Ended | None:
        if len(executor.started) == 2:
            raise KeyboardInterrupt
        return None

    executor = Stopping(before=interrupt)
    with pytest.raises(Interrupted, match="1 of 3 runs are done") as caught:
        folder.run(folder.read(THREE), executor)
    assert caught.value.exit_code == 130
    assert stopped
    assert [task.state for task in folder.run(folder.read(THREE))] == ["done"] * 3


def test_time_left_is_known_once_a_run_is_done(folder: Folder) -> None:
    schedule = folder.schedule(folder.read(THREE), InProcess())
    left = []
    schedule.run(lambda task: left.append(schedule.seconds_left()))
    assert left[0] is not None
    assert left[-1] == 0
    assert max(filter(None, left)) < 60
    schedule = folder.schedule(folder.read("seed = [8, 9]\n"), InProcess(slots=2))
    assert schedule.seconds_left() is None
    schedule = folder.schedule(folder.read("seed = [8, 9]\n"), InProcess(slots=2))
    for task in schedule.tasks:
        task.expected_seconds = 10.0
    assert schedule.seconds_left() == 10


@pytest.mark.full
def test_a_half_written_result_fails_by_itself(folder: Folder) -> None:
    grid = folder.read(THREE)
    tasks = folder.run(grid)
    path = tasks[1].found.directory.path / "result.json"
    path.write_text(path.read_text()[:100])
    again = folder.run(grid)
    assert [task.state for task in again] == ["done", "failed", "done"]
    assert "is not JSON" in again[1].found.error
    repaired = folder.run(grid, overwrite="always")
    assert [task.state for task in repaired] == ["done"] * 3
    assert json.loads(path.read_text())["metrics"]


@dataclass
class Queue(InProcess):
    """An executor whose jobs outlive it: they are run when `work` is called."""

    waiting: dict[str, Job] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)

    def start(self, job: Job) -> None:
        self.waiting[job.name] = job

    def wait(self, seconds: float) -> Sequence[Ended]:
        for job in self.waiting.values():
            super().start(job)
        self.waiting.clear()
        return super().wait(seconds)

    def adopt(self, jobs: Sequence[Job]) -> Collection[str]:
        found = {job.name for job in jobs} & self.left
        self.left -= found
        return found

    def detach(self) -> None:
        self.left |= set(self.waiting)

    def report(self) -> Mapping[str, JobReport]:
        return {name: JobReport("pending", reason="Priority") for name in self.waiting}

    def cancel(self, names: Collection[str]) -> None:
        for name in names:
            del self.waiting[name]


def test_jobs_that_are_left_alone_are_adopted_by_the_next_command(folder: Folder) -> None:
    grid, queue = folder.read("seed = [0, 1]\n"), Queue(slots=5)
    schedule = folder.schedule(grid, queue)
    schedule.detach = True
    schedule.run(lambda task: None)
    assert [task.state for task in schedule.tasks] == ["to do"] * 2
    assert len(queue.left) == 2
    assert not queue.started
    tasks = folder.run(grid, queue)
    assert [task.state for task in tasks] == ["done"] * 2
    assert len(queue.started) == 2
    assert all(task.seconds is not None for task in tasks)  # though none was seen to run


def test_a_job_that_ends_early_is_started_again_a_few_times(folder: Folder) -> None:
    grid = folder.read("seed = 0\n")
    ends = [Ended("", None, "time limit", resumable=True, retry=True)] * MAX_ATTEMPTS
    executor = InProcess(before=lambda name: replace(ends.pop(), job=name) if ends else None)
    (task,) = folder.run(grid, executor)
    assert (task.state, task.found.error) == ("to do", "time limit")
    assert len(executor.started) == MAX_ATTEMPTS
    assert task.found.directory.failure() is None
    ends[:] = [Ended("", None, "preempted", resumable=True, retry=True)]
    (task,) = folder.run(grid, executor)
    assert task.state == "done"
    ends[:] = [Ended("", None, "cancelled", resumable=True)]
    (task,) = folder.run(grid, executor, "always")
    assert task.state == "to do"
    assert len(executor.started) == MAX_ATTEMPTS + 3


@dataclass
class Waiting(InProcess):
    """An executor whose job waits for a machine for half a second."""

    job: Job | None = None
    waits: int = 0

    def start(self, job: Job) -> None:
        self.job = job

    def wait(self, seconds: float) -> Sequence[Ended]:
        assert self.job is not None
        self.waits += 1
        if self.waits < 6:
            time.sleep(0.1)
        elif self.waits > 6:
            super().start(self.job)
        return super().wait(seconds)

    def report(self) -> Mapping[str, JobReport]:
        assert self.job is not None
        return {self.job.name: JobReport("running" if self.waits >= 6 else "pending")}


def test_the_time_in_which_a_job_waits_is_not_that_of_its_run(folder: Folder) -> None:
    began = time.monotonic()
    (task,) = folder.run(folder.read("seed = 0\n"), Waiting())
    assert task.seconds is not None
    assert 0 < task.seconds < time.monotonic() - began - 0.5
