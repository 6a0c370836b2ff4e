"""`ltbench grid` with a cluster whose commands are none; tests/cluster has a real one."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ended
from tests.grid.grids import small
from tests.plugins.fake_slurm import FakeSlurm

Cli = Callable[..., Ended]


def test_jobs_are_left_shown_and_cancelled(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeSlurm.install(tmp_path / "bin", monkeypatch)
    fake.queue()
    file = str(small(tmp_path, "seed = [0, 1]\n"))
    slurm = ("--executor", "slurm", "--set", "executor.partition=gpu")
    ran = cli("grid", "run", file, *slurm, "--detach")
    assert ran.code == 0, ran.err
    assert f"2 jobs are in the queue: ltbench grid status {file} --out runs" in ran.out
    assert "more runs" not in ran.out
    options = dict(one.partition("=")[::2] for one in shlex.split(fake.asked("sbatch")[0]))
    assert (options["--array"], options["--partition"]) == ("0-1", "gpu")

    name = options["--job-name"]
    fake.queue(("7_0", "RUNNING", 0, name), ("7_1", "PENDING", 0, name))
    shown = cli("grid", "status", file)  # with the options that the command before has left
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert "classifier_only, seed 0 7_0 running n1" in lines
    assert any(line.startswith("classifier_only, seed 1 7_1 pending Priority") for line in lines)
    first, second = cli("grid", "status", file, "--json").json["runs"]
    assert first["job"]["place"] == "n1"
    assert second["job"]["reason"] == "Priority"
    again = cli("grid", "run", file, *slurm, "--detach")
    assert again.code == 0
    assert len(fake.asked("sbatch")) == 1

    (Path(options["--output"]).parent / "0.log").write_text("first\nlast \x1b[2J\n")
    logs = cli("grid", "logs", first["hash"][:8], "--lines", "1")
    assert logs.code == 0
    assert "is running, job 7_0, n1" in logs.out
    assert logs.out.endswith("last ?[2J\n")
    assert "there is no output yet" in cli("grid", "logs", second["hash"]).out
    assert cli("grid", "logs", "zz").code == 4
    assert "expected one of" in " ".join(cli("grid", "logs", "").err.split())

    cancelled = cli("grid", "cancel", file)
    assert (cancelled.code, cancelled.out) == (0, "2 jobs cancelled\n")
    assert fake.asked("scancel") == ["7_0 7_1"]
    fake.fails("squeue", "Unable to contact slurm controller")
    shown = cli("grid", "status", file)
    assert shown.code == 0
    assert "the jobs of slurm are not known: Slurm does not answer" in shown.out
    assert cli("grid", "cancel", file).code == 1


def test_more_runs_than_the_queue_takes_are_left_with_a_word(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeSlurm.install(tmp_path / "bin", monkeypatch)
    file = str(small(tmp_path, "seed = [0, 1, 2]\n"))
    few = ("--executor", "slurm", "--set", "executor.max_queued=2")
    ran = cli("grid", "run", file, *few, "--detach")
    assert ran.code == 0, ran.err
    assert "2 jobs are in the queue" in ran.out
    assert "1 more runs do not fit into it: the same command submits them" in ran.out


def test_a_queue_that_is_none_cannot_be_left(cli: Cli, tmp_path: Path) -> None:
    file = str(small(tmp_path, "seed = 0\n"))
    ran = cli("grid", "run", file, "--detach")
    assert ran.code == 2
    assert "the jobs of executor 'local' end with the command" in ran.err
    assert not (tmp_path / "runs/.jobs").exists()
