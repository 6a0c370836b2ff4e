"""Time limits of the Slurm executor's jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.errors import RunError
from ltbench_plugins.executors.slurm.queue import Slurm
from tests.plugins.fake_slurm import FakeSlurm, built, job, name_of, submitted


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    monkeypatch.chdir(tmp_path)
    return FakeSlurm.install(tmp_path / "bin", monkeypatch)


def test_a_short_job_is_not_interrupted_before_its_limit(fake: FakeSlurm) -> None:
    executor = built(time="5")
    executor.start(job("a", seconds=1e6))
    executor.detach()
    assert submitted(fake)[0]["--time"] == "5"
    assert "--signal" not in submitted(fake)[0]


@pytest.mark.parametrize(
    ("state", "status", "left", "second"),
    [
        ("TIMEOUT", 0, "0:00", "30"),
        ("FAILED", 130 << 8, "1:28", "30"),  # interrupted before its limit
        ("FAILED", 15, "INVALID", "30"),
        ("FAILED", 130 << 8, "14:00", "15"),
        ("NODE_FAIL", 0, "1:00", "15"),
    ],
)
def test_each_time_limit_doubles_the_next(
    fake: FakeSlurm, state: str, status: int, left: str, second: str
) -> None:
    executor = built()
    for _ in range(2):
        executor.start(job("a", seconds=100))
        fake.queue()
        executor.wait(0)
        fake.queue(("7_0", state, status, name_of(fake)), left=left)
        assert executor.wait(0)[0].retry
    assert [one["--time"] for one in submitted(fake)] == ["15", second]


def test_a_time_limit_that_is_known_from_the_accounts_counts_too(fake: FakeSlurm) -> None:
    executor = built()
    executor.start(job("a", seconds=100))
    executor.wait(0)
    fake.queue(("7_0", "RUNNING", 0, name_of(fake)))
    executor.wait(0)
    fake.queue()
    fake.says("sacct", "7_0|FAILED|130:0|820|15")
    (end,) = [*executor.wait(0), *executor.wait(0), *executor.wait(0)]
    assert end.retry
    executor.start(job("a", seconds=100))
    executor.wait(0)
    assert submitted(fake)[1]["--time"] == "30"


def timed_out(fake: FakeSlurm, *names: str) -> Slurm:
    """An executor with jobs whose first time limit was too short."""
    executor = built()
    for name in names:
        executor.start(job(name, seconds=100))
    executor.wait(0)
    fake.queue(*((f"7_{index}", "TIMEOUT", 0, name_of(fake)) for index in range(len(names))))
    executor.wait(0)
    fake.queue()
    for name in names:
        executor.start(job(name, seconds=100))
    return executor


def test_a_doubled_limit_that_slurm_refuses_is_not_used(fake: FakeSlurm) -> None:
    executor = timed_out(fake, "a")
    fake.fails("sbatch", "sbatch: error: Requested time limit is invalid")
    with pytest.warns(UserWarning, match="no time limit of 30 minutes .* go on with less"):
        assert executor.wait(0) == []
    fake.says("sbatch", "7")
    executor.wait(0)
    assert [one["--time"] for one in submitted(fake)] == ["15", "30", "15"]
    assert len(list(Path("runs/.jobs/slurm").iterdir())) == 2
    executor.start(job("b", seconds=1e6))  # what was never accepted is refused
    fake.fails("sbatch", "sbatch: error: Requested time limit is invalid")
    with pytest.raises(RunError, match="Requested time limit is invalid"):
        executor.wait(0)


def test_a_doubled_limit_with_which_a_job_would_wait_for_ever_is_not_used(fake: FakeSlurm) -> None:
    executor = timed_out(fake, "a", "b")
    executor.wait(0)
    waiting = [(f"7_{index}", "PENDING", 0, name_of(fake)) for index in range(2)]
    fake.queue(*waiting, reason="PartitionTimeLimit")
    with pytest.warns(UserWarning, match="no time limit of 30 minutes .PartitionTimeLimit") as said:
        ends = executor.wait(0)
    assert len(said) == 1
    assert [(end.job, end.resumable, end.retry) for end in ends] == [
        ("a", True, True),
        ("b", True, True),
    ]
    assert fake.asked("scancel") == ["7_0", "7_1"]
    fake.queue()
    executor.start(job("a", seconds=100))
    executor.wait(0)
    assert [one["--time"] for one in submitted(fake)] == ["15", "30", "15"]
    fake.queue(("7_0", "PENDING", 0, name_of(fake)), reason="PartitionTimeLimit")
    assert executor.wait(0) == []  # the first limit is what the forecast asks for
