"""The Slurm executor with commands that are none; tests/cluster has a real cluster."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from ltbench.errors import RunError
from ltbench.jobs import DetachedExecutor, Ended
from ltbench_plugins.executors.slurm import queue
from ltbench_plugins.executors.slurm.batch import Batch
from ltbench_plugins.executors.slurm.commands import Row
from ltbench_plugins.executors.slurm.options import SlurmOptions, limit_seconds
from ltbench_plugins.executors.slurm.states import ended
from tests.covered import value_of
from tests.plugins.fake_slurm import FakeSlurm, built, job, name_of, submitted


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    monkeypatch.chdir(tmp_path)
    return FakeSlurm.install(tmp_path / "bin", monkeypatch)


@value_of("executor", "slurm")
def test_an_array_for_all_runs_with_the_same_needs(fake: FakeSlurm, tmp_path: Path) -> None:
    setup, extra = "module load cuda", "--comment='a b'"
    executor = built(jobs=3, partition="gpu", memory="8G", setup=setup, extra=extra)
    assert isinstance(executor, DetachedExecutor)
    for number in range(5):
        executor.start(job(f"a{number}"))
    executor.start(job("long", seconds=3000, gpus=2))
    fake.queue()
    assert executor.wait(0) == []
    first, second, third = submitted(fake)
    assert [one["--array"] for one in (first, second, third)] == ["0-3%2", "0-0%1", "0-0%1"]
    assert (first["--partition"], first["--mem"], first["--cpus-per-task"]) == ("gpu", "8G", "4")
    assert "--time" not in first
    assert third["--time"] == "120"  # twice 50 minutes and 10, in quarters of an hour
    assert third["--gres"] == "gpu:2"
    assert first["--signal"] == third["--signal"] == "B:TERM@90"

    folder = Path(first["--output"]).parent
    assert folder.parent == tmp_path / "runs/.jobs/slurm"
    script = (folder / "script.sh").read_text()
    assert "module load cuda\n" in script
    assert "'--comment=a b'" in script  # with the command that submitted it
    lines = (folder / "commands").read_text().splitlines()
    assert shlex.split(lines[1]) == ["run", "{'a1': 1}"]
    assert json.loads((folder / "batch.json").read_text())["titles"][1] == "cell, a1"
    (folder / "2.log").write_text("deep\ntrouble\n")
    assert (tmp_path / "runs/.jobs/logs/a2.log").read_text() == "deep\ntrouble\n"

    name = first["--job-name"]
    fake.queue(
        ("7_0", "RUNNING", 0, name), ("7_1", "COMPLETED", 0, name), ("7_2", "FAILED", 256, name)
    )
    assert executor.wait(0) == [
        Ended("a1", 0, "job 7_1 on n1 is completed"),
        Ended("a2", 1, "job 7_2 on n1: exit code 1: deep trouble"),
    ]
    assert executor.report()["a0"].place == "n1"


def test_it_needs_a_controller(fake: FakeSlurm) -> None:
    fake.fails("squeue", "fatal: Could not establish a configuration source")
    with pytest.raises(RunError, match="Slurm does not answer: fatal: Could not"):
        built()


def test_it_needs_the_commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunError, match="sbatch, squeue, scancel, scontrol not found on PATH"):
        built()


@pytest.mark.parametrize("time", ["soon", "1:2:3:4", "", "-5", "1-"])
def test_times_that_sbatch_cannot_read_are_refused(time: str) -> None:
    assert limit_seconds(time) is None
    with pytest.raises(ValueError, match="time: expected"):
        SlurmOptions(time=time)


def test_further_arguments_are_read_as_in_a_shell() -> None:
    with pytest.raises(ValueError, match="extra: no closing quotation"):
        SlurmOptions(extra="--comment 'a")


@pytest.mark.parametrize(
    ("state", "status", "code", "resumable", "retry", "words"),
    [
        ("COMPLETED", 0, 0, False, False, "is completed"),
        ("FAILED", 75 << 8, 75, False, False, "exit code 75"),
        ("FAILED", 130 << 8, None, True, True, "it was interrupted"),
        ("FAILED", 15, None, True, True, "it was interrupted"),
        ("FAILED", 9, -9, False, False, "killed by SIGKILL"),
        ("CANCELLED", 130 << 8, None, True, False, "it was cancelled"),
        ("TIMEOUT", 0, None, True, True, "it reached its time limit"),
        ("NODE_FAIL", 0, None, True, True, "its node failed"),
        ("PREEMPTED", 0, None, True, True, "it was preempted"),
        ("OUT_OF_MEMORY", 9, -9, False, False, "raise executor.memory"),
    ],
)
def test_ends(
    state: str, status: int, code: int | None, resumable: bool, retry: bool, words: str
) -> None:
    end = ended("a", Row("7_1", state, status, "n", "n1"), Path("none"))
    assert (end.code, end.resumable, end.retry) == (code, resumable, retry)
    assert words in end.reason


def test_a_preempted_job_is_in_the_queue_again_soon(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = built()
    executor.start(job("a"))
    fake.queue()
    executor.wait(0)
    for state in ("PREEMPTED", "PENDING", "RUNNING", "PREEMPTED"):
        fake.queue(("7_0", state, 0, name_of(fake)))
        assert executor.wait(0) == []
    monkeypatch.setattr(queue, "PREEMPTED_SECONDS", 0.0)
    (end,) = executor.wait(0)
    assert end.retry


def test_a_silent_controller_is_waited_for(fake: FakeSlurm) -> None:
    executor = built()
    executor.start(job("a"))
    fake.queue()
    executor.wait(0)
    assert executor.slots == 1000
    fake.fails("squeue", "slurm_load_jobs error: Unable to contact slurm controller")
    with pytest.warns(UserWarning, match="waiting for Slurm: slurm_load_jobs error") as caught:
        assert [*executor.wait(0), *executor.wait(0)] == []
    assert len(caught) == 1
    assert executor.slots == 1  # nothing is started meanwhile
    assert executor.adopt([job("b")]) == []
    fake.queue(("7_0", "COMPLETED", 0, name_of(fake)))
    assert [end.job for end in executor.wait(0)] == ["a"]
    assert executor.slots == 1000


def test_an_answer_without_a_job_is_no_end(fake: FakeSlurm) -> None:
    executor = built()
    executor.start(job("a"))
    fake.queue()
    assert executor.wait(0) == []
    fake.queue(("7_0", "RUNNING", 0, name_of(fake)))
    assert executor.wait(0) == []
    fake.queue()
    assert [*executor.wait(0), *executor.wait(0)] == []
    (end,) = executor.wait(0)
    assert (end.code, end.resumable, end.retry) == (None, True, True)
    assert end.reason == "job 7_0 has left the queue, and its end is not known"
    assert len(fake.asked("sacct")) == 1


def test_a_job_that_has_left_the_queue_is_looked_up_in_the_accounts(fake: FakeSlurm) -> None:
    executor = built()
    executor.start(job("a"))
    fake.queue()
    executor.wait(0)
    fake.queue(("7_0", "RUNNING", 0, name_of(fake)))
    executor.wait(0)
    fake.queue()
    fake.says("sacct", "7_0|CANCELLED by 1000|0:15|60|15")
    (end,) = [*executor.wait(0), *executor.wait(0), *executor.wait(0)]
    assert (end.resumable, end.retry, end.reason) == (True, False, "job 7_0: it was cancelled")


@pytest.mark.parametrize("reason", ["launch failed requeued held", "launch_failed_requeued_held"])
def test_a_job_that_slurm_holds_back_is_replaced(fake: FakeSlurm, reason: str) -> None:
    executor = built()
    executor.start(job("a"))
    executor.wait(0)
    fake.queue(("7_0", "PENDING", 0, name_of(fake)), reason="JobHeldUser")
    assert executor.wait(0) == []
    fake.queue(("7_0", "PENDING", 0, name_of(fake)), reason=reason)
    (end,) = executor.wait(0)
    assert (end.resumable, end.retry) == (True, True)
    assert fake.asked("scancel") == ["7_0"]


def test_jobs_of_an_earlier_command_are_adopted(fake: FakeSlurm, tmp_path: Path) -> None:
    earlier = built()
    earlier.start(job("a"))
    earlier.start(job("b"))
    earlier.detach()
    name = name_of(fake)
    fake.queue(
        ("7_0", "PENDING", 0, name), ("7_1", "COMPLETED", 0, name), ("8", "RUNNING", 0, "other")
    )
    executor = built()
    assert executor.adopt([job("a"), job("b"), job("c")]) == ["a"]
    assert built(tmp_path / "elsewhere").adopt([job("a")]) == []
    (place,) = executor.report().values()
    assert (place.state, place.id, place.reason, place.place) == ("pending", "7_0", "Priority", "")
    assert place.start is not None
    fake.queue(("7_0", "CANCELLED", 0, name))
    assert [end.job for end in executor.wait(0)] == ["a"]


def test_what_slurm_refuses_is_an_error(fake: FakeSlurm) -> None:
    executor = built()
    executor.start(job("b"))
    fake.fails("sbatch", "sbatch: error: invalid partition specified: nowhere")
    with pytest.raises(RunError, match="refused a job: sbatch: error: invalid partition"):
        executor.wait(0)
    # These words are about every limit: here, of the memory.
    fake.fails("sbatch", "QOSMaxMemoryPerJob ... QOS policy (job submit limit, user's size)")
    with pytest.raises(RunError, match="QOSMaxMemoryPerJob"):
        executor.wait(0)


def test_a_full_queue_is_waited_for_while_the_user_has_jobs_there(fake: FakeSlurm) -> None:
    executor = built()
    executor.start(job("a"))
    fake.queue(("6", "RUNNING", 0, "other"))
    fake.fails("sbatch", "sbatch: error: QOSMaxSubmitJobPerUserLimit (job submit limit)")
    with pytest.warns(UserWarning, match="waiting for Slurm"):
        executor.wait(0)
    executor.wait(0)
    fake.says("sbatch", "7")
    executor.wait(0)
    assert len({name_of(fake, call) for call in range(3)}) == 3
    assert len(list(Path("runs/.jobs/slurm").iterdir())) == 1  # of the one that was taken
    fake.queue(("7_0", "COMPLETED", 0, name_of(fake)))
    assert [end.job for end in executor.wait(0)] == ["a"]
    for number in range(3):
        executor.start(job(f"b{number}"))
    fake.fails("sbatch", "sbatch: error: QOSMaxSubmitJobPerUserLimit (job submit limit)")
    with pytest.warns(UserWarning, match="waiting for Slurm"):
        assert [*executor.wait(0), *executor.wait(0)] == []
    with pytest.raises(RunError, match=r"takes no array of 3 jobs: .*QOSMaxSubmit") as caught:
        executor.wait(0)
    assert "executor.max_queued" in caught.value.hint


def test_ends_are_known_while_the_queue_is_full(fake: FakeSlurm) -> None:
    executor = built()
    executor.start(job("a"))
    executor.wait(0)
    name = name_of(fake)
    executor.start(job("b"))
    fake.fails("sbatch", "sbatch: error: AssocMaxSubmitJobLimit")
    fake.queue(("7_0", "RUNNING", 0, name))
    with pytest.warns(UserWarning, match="AssocMaxSubmitJobLimit"):
        assert executor.wait(0) == []
    assert executor.slots == 2
    fake.queue(("7_0", "COMPLETED", 0, name))
    assert [end.job for end in executor.wait(0)] == ["a"]


def test_a_submission_without_an_answer_is_not_repeated(fake: FakeSlurm) -> None:
    executor = built()
    executor.start(job("a"))
    fake.fails("sbatch", "sbatch: error: Batch job submission failed: Socket timed out")
    with pytest.warns(UserWarning, match="Socket timed out"):
        executor.wait(0)
    assert [*executor.wait(0), *executor.wait(0)] == []  # the queue lacks it, at first
    fake.queue(("7_0", "COMPLETED", 0, name_of(fake)))
    assert [end.job for end in executor.wait(0)] == ["a"]
    assert len(submitted(fake)) == 1


def test_a_submission_that_several_answers_lack_is_repeated(fake: FakeSlurm) -> None:
    executor = built()
    executor.start(job("a"))
    fake.fails("sbatch", "sbatch: error: Batch job submission failed: Socket timed out")
    with pytest.warns(UserWarning, match="Socket timed out"):
        executor.wait(0)
    fake.says("sbatch", "7")
    counts = [len(submitted(fake)) for _ in range(3) if executor.wait(0) == []]
    assert counts == [1, 1, 2]
    assert name_of(fake, 0) != name_of(fake, 1)


def test_jobs_that_were_unseen_during_a_silence_are_adopted_before_a_submission(
    fake: FakeSlurm,
) -> None:
    earlier = built()
    earlier.start(job("a"))
    earlier.detach()
    executor = built()
    fake.fails("squeue", "Unable to contact slurm controller")
    with pytest.warns(UserWarning, match="waiting for Slurm"):
        assert executor.adopt([job("a"), job("b")]) == []
    executor.start(job("a"))
    executor.start(job("b"))
    assert executor.wait(0) == []
    fake.queue(("7_0", "RUNNING", 0, name_of(fake)))
    assert executor.wait(0) == []
    assert [one["--array"] for one in submitted(fake)] == ["0-0", "0-0"]  # a, and b
    folder = Path(submitted(fake)[1]["--output"]).parent
    assert json.loads((folder / "batch.json").read_text())["names"] == ["b"]


def test_jobs_are_cancelled_at_the_end(fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch) -> None:
    executor = built()
    for name in ("a", "b"):
        executor.start(job(name))
    fake.queue()
    executor.wait(0)
    name = name_of(fake)
    fake.queue(("7_0", "RUNNING", 0, name), ("7_1", "PENDING", 0, name))
    executor.cancel({"b", "unknown"})
    monkeypatch.setattr(queue, "STOP_SECONDS", 0.1)
    with pytest.warns(UserWarning, match=f"2 jobs may go on: scancel --name={name}"):
        executor.stop()
    assert fake.asked("scancel") == ["7_1", "7_0 7_1"]
    executor.stop()


def test_an_answer_without_the_jobs_does_not_end_the_cancellation(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_POLL_STOP_SECONDS", 0.0)
    executor = built()
    for name in ("a", "b", "c"):
        executor.start(job(name))
    executor.wait(0)
    name = name_of(fake)
    answers = [[], [("7_0", "RUNNING"), ("7_1", "PENDING"), ("7_2", "PREEMPTED")]]
    answers += [[("7_0", "CANCELLED"), ("7_1", "CANCELLED"), ("7_2", "PREEMPTED")]] * 8
    asked: list[list[Row]] = [[Row(*row, 0, name) for row in answer] for answer in answers]
    monkeypatch.setattr(executor._commands, "queue", lambda: asked.pop(0))
    executor.stop()
    assert asked == []  # a preempted job may be in the queue again: it takes some answers
    assert fake.asked("scancel") == ["7_0 7_1 7_2"]


def test_detaching_says_what_was_not_submitted(fake: FakeSlurm) -> None:
    executor = built()
    executor.start(job("a"))
    fake.fails("sbatch", "sbatch: error: Unable to contact slurm controller")
    with pytest.raises(RunError, match="not all jobs are submitted"):
        executor.detach()


def test_the_accounts_are_asked_once_for_all_jobs(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = built()
    for name in ("a", "b", "c"):
        executor.start(job(name))
    executor.wait(0)
    name = name_of(fake)
    fake.queue(*((f"7_{index}", "RUNNING", 0, name) for index in range(3)))
    executor.wait(0)
    fake.queue()
    fake.says("sacct", "7_0|COMPLETED|0:0|60|15\n7_1|RUNNING|0:0|60|15")
    monkeypatch.setattr(queue, "MAX_IDS", 2)
    ends = [end for _ in range(4) for end in executor.wait(0)]
    assert [(end.job, end.code) for end in ends] == [("a", 0), ("c", None)]
    asked = [call.split(" -o ")[0] for call in fake.asked("sacct")]
    assert asked == ["-X -n -P -j 7_0,7_1", "-X -n -P -j 7_2"]


def test_a_folder_that_cannot_be_written_is_an_error(fake: FakeSlurm, tmp_path: Path) -> None:
    executor = built()
    Path("runs").mkdir()
    Path("runs/.jobs").symlink_to(tmp_path / "missing")
    executor.start(job("a"))
    with pytest.raises(RunError, match="cannot be written") as caught:
        executor.wait(0)
    assert "executor.log_folder" in caught.value.hint
    batch = Batch(tmp_path / "missing", ["a"], ["a"], "runs")
    with pytest.raises(RunError, match="cannot be written: No such file"):
        batch.write_script("", [])
