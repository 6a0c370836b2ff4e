"""Grids through a real Ray of two nodes on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.ray_cluster import ENVIRONMENT, RAY, RayCluster, started_cluster
from tests.grid.grids import small

pytestmark = pytest.mark.slow

THREE = "seed = [0, 1, 2]\n"
LONG = '[[include]]\nmethod = "full"\n"dataset.largest" = 100\n"train.epochs" = 8\n'
WAIT_SECONDS = 240.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    cluster = started_cluster(folder)
    yield cluster
    cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Grids:
    """Grids of a folder, executed by commands of their own."""

    folder: Path
    address: str

    def start(self, rest: str, *options: str, executor: str = "ray") -> subprocess.Popen[str]:
        self.folder.mkdir(exist_ok=True)
        file = small(self.folder, rest)
        command = ("grid", "run", str(file), "--executor", executor, "--device", "cpu")
        return subprocess.Popen(
            (sys.executable, "-m", "ltbench", *command, "--json", *options),
            cwd=self.folder,
            env={**os.environ, **ENVIRONMENT, "RAY_ADDRESS": self.address, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, rest: str, *options: str, executor: str = "ray") -> tuple[int, Any, str]:
        """Returns exit code, runs and stderr of a command."""
        return ended(self.start(rest, *options, executor=executor))

    def epochs(self) -> int:
        """Returns the number of trained epochs of all runs."""
        return sum(path.read_bytes().count(b"\n") for path in self.folder.rglob("history.jsonl"))

    def jobs(self) -> list[int]:
        """Returns the ids of the processes of running jobs, without their loader workers."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
                here = (path.parent / "cwd").readlink()
            except OSError:
                continue
            if b"--stop-on-eof" in words and here == self.folder.resolve():
                found.append(int(path.parent.name))
        return [pid for pid in found if parent(pid) not in found]

    def weights(self) -> str:
        """Returns the checksum of the learned weights of the only run."""
        (path,) = self.folder.rglob("learned.safetensors")
        return hashlib.sha256(path.read_bytes()).hexdigest()


def ended(process: subprocess.Popen[str]) -> tuple[int, Any, str]:
    out, err = process.communicate(timeout=WAIT_SECONDS * 2)
    return process.returncode, json.loads(out)["runs"] if out else None, err


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, f"{what}: not in {WAIT_SECONDS:g} seconds"
        time.sleep(0.2)


@pytest.fixture
def grids(cluster: RayCluster, tmp_path: Path) -> Grids:
    return Grids(tmp_path / "grid", cluster.address)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Weights of the long run, by the executor of this machine."""
    grids = Grids(tmp_path_factory.mktemp("undisturbed"), "")
    assert grids.run(LONG, executor="local")[0] == 0
    return grids.weights()


def test_runs_are_done_and_never_again(grids: Grids) -> None:
    code, runs, err = grids.run(THREE)
    assert code == 0, err
    assert [run["state"] for run in runs] == ["done"] * 3
    code, runs, err = grids.run(THREE)
    assert code == 0, err
    assert not any(run["ran"] for run in runs)
    assert not list(grids.folder.rglob("*.log"))  # of those that print nothing


def test_a_failure_is_kept_with_its_error(grids: Grids) -> None:
    code, runs, _ = grids.run("seed = 0\n[[include]]\ntrain.lr = [1e30, 0.01]\n")
    assert code == 1
    assert sorted(run["state"] for run in runs) == ["done", "failed"]
    (failed,) = [run for run in runs if run["state"] == "failed"]
    assert "the loss became nan" in failed["error"]


def test_a_killed_worker_ends_its_job_which_is_started_again(
    grids: Grids, undisturbed: str
) -> None:
    command = grids.start(LONG)
    until(lambda: grids.epochs() >= 2, "two epochs")
    (job,) = grids.jobs()
    os.kill(parent(job), signal.SIGKILL)
    until(lambda: job not in grids.jobs(), "the end of the job")
    code, runs, err = ended(command)
    assert code == 0, err
    assert runs[0]["state"] == "done"
    assert grids.weights() == undisturbed


def test_a_killed_node_loses_no_run(cluster: RayCluster, grids: Grids, undisturbed: str) -> None:
    cluster.add_node("third", '{"third": 1}')
    command = grids.start(LONG, "--set", 'executor.resources=["third"]')
    until(lambda: grids.epochs() >= 2, "two epochs")
    cluster.kill_node("third")
    until(lambda: not grids.jobs(), "the end of the job")
    cluster.add_node("fourth", '{"third": 1}')
    code, _, err = ended(command)
    assert code == 0, err
    assert grids.weights() == undisturbed
    cluster.kill_node("fourth")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_all_jobs_and_is_resumed(
    grids: Grids, undisturbed: str, number: int
) -> None:
    command = grids.start(LONG)
    until(lambda: grids.epochs() >= 2, "two epochs")
    command.send_signal(number)
    code, _, err = ended(command)
    assert code == 130, err
    assert "interrupted: 0 of 1 runs are done" in err
    assert not grids.jobs()
    assert grids.run(LONG)[0] == 0
    assert grids.weights() == undisturbed


def test_jobs_end_with_a_killed_command(grids: Grids, undisturbed: str) -> None:
    command = grids.start(LONG)
    until(lambda: grids.epochs() >= 2, "two epochs")
    command.kill()
    command.communicate()
    until(lambda: not grids.jobs(), "the end of the job")
    code, _, err = grids.run(LONG)
    assert code == 0, err
    assert grids.weights() == undisturbed


def test_two_commands_share_the_runs_of_a_folder(grids: Grids) -> None:
    both = [grids.start("seed = [0, 1, 2, 3]\n") for _ in range(2)]
    results = [ended(command) for command in both]
    for code, runs, err in results:
        assert code == 0, err
        assert [run["state"] for run in runs] == ["done"] * 4
    assert len(list(grids.folder.rglob("result.json"))) == 4
    assert grids.epochs() == 4 * 2


def test_resources_that_no_node_has_are_named(grids: Grids) -> None:
    began = time.monotonic()
    options = ('executor.resources=["tpu"]', "executor.node_seconds=15")
    code, runs, err = grids.run(THREE, *(part for one in options for part in ("--set", one)))
    assert code == 1
    assert runs is None
    assert "no node of the Ray cluster has 1 CPU, 1 tpu; waiting" in err
    assert "error: no node of the Ray cluster has 1 CPU, 1 tpu, 15 seconds after" in err
    assert time.monotonic() - began < 120


def test_the_time_in_which_a_run_waits_is_not_its_own(cluster: RayCluster, grids: Grids) -> None:
    began = time.monotonic()
    command = grids.start("seed = 0\n", "--jobs", "1", "--set", 'executor.resources=["late"]')
    until(lambda: list(grids.folder.rglob(".jobs/logs")), "the task")
    waited = time.monotonic()
    cluster.add_node("late", '{"late": 1}')
    waited = time.monotonic() - waited
    code, runs, err = ended(command)
    assert code == 0, err
    assert waited > 3
    assert 0 < runs[0]["seconds"] < time.monotonic() - began - waited
    cluster.kill_node("late")


def test_a_node_that_does_not_see_the_folder_is_named(cluster: RayCluster, grids: Grids) -> None:
    command = grids.start("seed = 0\n", "--set", 'executor.resources=["far"]')
    until(lambda: list(grids.folder.rglob(".jobs/logs")), "the task")
    moved = grids.folder.rename(grids.folder.with_name("moved"))  # the command stays in it
    cluster.add_node("far", '{"far": 1}')
    code, _, err = ended(command)
    assert code == 1
    assert re.search(rf"error: the node \S+ of the Ray cluster does not see {grids.folder}/", err)
    assert not grids.folder.exists()
    assert not list(moved.rglob("result.json"))
    cluster.kill_node("far")


def test_a_head_that_does_not_answer_is_named_at_once(grids: Grids) -> None:
    began = time.monotonic()
    code, _, err = Grids(grids.folder, "127.0.0.1:9").run(THREE)
    assert code == 1
    assert "error: no Ray head answers at 127.0.0.1:9" in err
    assert time.monotonic() - began < 60


def test_a_submitted_job_runs_a_grid(tmp_path: Path) -> None:
    pytest.importorskip("ray.job_submission", reason="needs ray[default]")
    pytest.importorskip("aiohttp_cors", reason="needs ray[default]")
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    # One node: two of a machine would write the copy of the working directory into the same place.
    cluster = RayCluster(folder, dashboard=True)
    try:
        run = ("ltbench", "grid", "run", "small.toml", "--executor", "ray", "--device", "cpu")
        environment = {
            **os.environ,
            "RAY_ADDRESS": f"http://127.0.0.1:{cluster.jobs_port}",
            "OMP_NUM_THREADS": "1",
        }

        def submitted(seed: int, *options: str) -> tuple[int, str]:
            copied = tmp_path / f"copied{seed}"
            copied.mkdir()
            small(copied, f"seed = {seed}\n")
            submit = (*RAY, "job", "submit", "--working-dir", str(copied), "--")
            command = (*submit, sys.executable, "-m", *run, *options)
            end = time.monotonic() + WAIT_SECONDS
            while True:
                done = subprocess.run(command, env=environment, capture_output=True, text=True)
                shown = done.stdout + done.stderr
                waits = "No available agent" in shown or "Failed to connect" in shown
                if not waits or time.monotonic() > end:
                    return done.returncode, shown

        code, shown = submitted(0)
        assert code != 0
        assert "is in the copied working directory of a Ray job" in " ".join(shown.split())
        code, shown = submitted(1, "--out", str(tmp_path / "runs"))
        assert code == 0, shown
        assert len(list((tmp_path / "runs").rglob("result.json"))) == 1
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_cluster_that_ignores_sigint_can_be_interrupted(tmp_path: Path) -> None:
    """A shell ignores SIGINT in what it starts in the background, and Ray cancels with it."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        cluster = started_cluster(folder)
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        grids = Grids(tmp_path / "grid", cluster.address)
        command = grids.start(LONG)
        until(lambda: grids.epochs() >= 1, "an epoch")
        began = time.monotonic()
        command.send_signal(signal.SIGTERM)
        assert ended(command)[0] == 130
        assert time.monotonic() - began < 30
        assert not grids.jobs()
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
