"""Grids on a real Slurm cluster: `make test-slurm`.

Every run that is interrupted ends with the weights of one that is not: the same bits.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ltbench.contexts import ExecutorContext
from ltbench.jobs import Ended, Job, Resources
from ltbench.registry.registry import Registry
from ltbench.testing import checks_for
from ltbench_plugins.executors.slurm import build
from ltbench_plugins.executors.slurm.options import SlurmOptions
from ltbench_plugins.executors.slurm.queue import Slurm
from tests.cluster.slurm_cluster import Cluster, Desk, cluster, eventually

pytestmark = pytest.mark.slow

NOBODY = 65534
# An interpreter below /root can be read, and nothing else is allowed.
AS_NOBODY = (
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
)
EPOCHS = 40
ONE = f"[[include]]\nseed = 0\ntrain.epochs = {EPOCHS}\n"
PAUSE = 0.7  # seconds of an epoch, which has one step


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("slurm"), MAX_ARRAY=5) as one:
        yield one


@pytest.fixture
def desk(slurm: Cluster, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, slurm)
    yield desk
    desk.clear()


@pytest.fixture(scope="module")
def undisturbed(slurm: Cluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Weights of the run `ONE`, learned on this machine without an interruption."""
    desk = Desk(tmp_path_factory.mktemp("undisturbed"), slurm)
    desk.grid(ONE)
    code, output = desk.run(executor="local")
    assert code == 0, output
    return desk.learned()


def begun(desk: Desk, epochs: int = 3) -> None:
    """Waits until some epochs are trained."""
    eventually(lambda: desk.epochs() >= epochs)


def test_runs_are_done_and_a_failed_one_is_kept(desk: Desk) -> None:
    desk.grid("seed = [0, 1]\n[[include]]\n[[include]]\nseed = 2\ntrain.lr = 1e30\n")
    code, output = desk.run()
    assert code == 1
    assert "1 of 3 runs failed" in output
    assert [run["state"] for run in desk.states()] == ["done", "done", "failed"]
    failed = desk.states()[2]
    assert "the loss became nan" in failed["error"]
    assert Counter(desk.submitted()).most_common(1)[0][1] == 1
    code, output = desk.call("grid", "logs", failed["hash"])
    assert code == 0
    assert "is not in the queue" in output


def test_what_slurm_refuses_is_said_in_its_words(desk: Desk) -> None:
    desk.grid("seed = 0\n")
    code, output = desk.run("--set", "executor.partition=nowhere")
    assert code == 1
    assert "invalid partition" in output
    code, output = desk.run("--set", "executor.memory=900G")
    assert code == 1
    assert "Memory specification can not be satisfied" in output
    assert not desk.found("failure.json")


def test_more_runs_than_an_array_holds(desk: Desk) -> None:
    desk.grid("seed = [0, 1, 2, 3, 4, 5, 6]\n")
    code, output = desk.run("--jobs", "4")
    assert code == 0, output
    assert len(desk.learned()) == 7
    batches = list((desk.path / "runs/.jobs/slurm").iterdir())
    assert len(batches) == 2  # of five, and of two
    assert len(desk.submitted()) == 7


def test_a_cancelled_run_is_left_for_the_next_command(
    desk: Desk, slurm: Cluster, undisturbed: dict[str, bytes]
) -> None:
    desk.grid(ONE)
    desk.pause(PAUSE)
    command = desk.begin()
    begun(desk)
    slurm.ask("scancel", *slurm.jobs())
    code, output = desk.end(command)
    assert code == 1
    assert "1 of 1 runs are not finished" in output
    assert "it was cancelled" in output
    trained = desk.epochs()
    assert 3 <= trained < EPOCHS
    assert not desk.found("failure.json")
    desk.pause(0)
    assert desk.run()[0] == 0
    assert desk.learned() == undisturbed


def test_a_requeued_run_goes_on(desk: Desk, slurm: Cluster, undisturbed: dict[str, bytes]) -> None:
    desk.grid(ONE)
    desk.pause(PAUSE)
    command = desk.begin()
    begun(desk)
    slurm.ask("scontrol", "requeue", *slurm.jobs())
    eventually(lambda: slurm.jobs("pending") or slurm.jobs("running"))
    desk.pause(0)
    code, output = desk.end(command)
    assert code == 0, output
    assert len(desk.submitted()) == 1
    assert desk.learned() == undisturbed


def test_a_time_limit_is_survived_to_the_end(desk: Desk, undisturbed: dict[str, bytes]) -> None:
    desk.grid(ONE)
    desk.pause(2.0)  # more than a minute of training in jobs of one
    code, output = desk.run("--set", "executor.time=1")
    assert code == 0, output
    assert len(desk.submitted()) >= 2
    assert desk.learned() == undisturbed


def test_a_run_that_is_interrupted_before_its_limit_gets_more_time(
    desk: Desk, slurm: Cluster
) -> None:
    stopped = ("/bin/bash", "-c", "trap 'exit 130' TERM; sleep 600 & wait")
    job = Job("a", stopped, resources=Resources(seconds=1.0))
    ends: list[Ended] = []
    with variables(slurm):
        executor = build(SlurmOptions(cpus=1, poll_seconds=0.5), context(desk))
        executor.start(job)
        eventually(lambda: executor.wait(0) == [] and slurm.jobs("running"))
        slurm.ask("scontrol", "update", f"jobid={slurm.jobs()[0]}", "timelimit=2")  # of 15

        def has_ended() -> bool:
            ends.extend(executor.wait(1.0))
            return bool(ends)

        eventually(has_ended)
        (end,) = ends
        assert (end.retry, "it was interrupted" in end.reason) == (True, True), end
        executor.start(job)
        executor.detach()
    asked = slurm.ask("squeue", "-rh", "--states=pending,running", "--format=%l")
    assert asked == "30:00"


def test_a_preempted_run_goes_on(desk: Desk, slurm: Cluster, undisturbed: dict[str, bytes]) -> None:
    desk.grid(ONE)
    desk.pause(PAUSE)
    command = desk.begin()
    begun(desk)
    slurm.ask("sbatch", "--partition=high", "--nodes=2", "--exclusive", "--wrap=sleep 5")
    eventually(lambda: slurm.jobs("pending"), 60)
    code, output = desk.end(command)
    assert code == 0, output
    assert desk.learned() == undisturbed
    assert "PREEMPTION" in "".join(
        path.read_text() for path in (desk.path / "runs/.jobs/logs").iterdir()
    )


def test_a_run_outlives_its_node(desk: Desk, slurm: Cluster, undisturbed: dict[str, bytes]) -> None:
    desk.grid(ONE)
    desk.pause(PAUSE)
    command = desk.begin()
    begun(desk)
    node = slurm.ask("squeue", "-rh", "--states=running", "--format=%N")
    slurm.kill(f"slurmd-{node}")
    try:
        desk.pause(0)
        code, output = desk.end(command)
    finally:
        slurm.script("node", node)
    assert code == 0, output
    assert desk.learned() == undisturbed
    eventually(lambda: slurm.ask("sinfo", "-hN", "-p", "low", "-o", "%T").split() == ["idle"] * 2)


def test_a_controller_that_is_away_is_waited_for(
    desk: Desk, slurm: Cluster, undisturbed: dict[str, bytes]
) -> None:
    desk.grid(ONE)
    desk.pause(PAUSE)
    command = desk.begin()
    begun(desk)
    slurm.kill("slurmctld")
    try:
        time.sleep(25)  # commands of Slurm wait for some seconds themselves
        assert command.poll() is None
        desk.pause(0)
    finally:
        slurm.script("controller")
    code, output = desk.end(command)
    assert code == 0, output
    assert "waiting for Slurm" in output
    assert desk.learned() == undisturbed
    for node in ("n1", "n2"):  # its last seconds are lost: a node may have a job it does not know
        if "drain" in slurm.ask("sinfo", "-h", "-n", node, "-o", "%T"):
            slurm.ask("scontrol", "update", f"nodename={node}", "state=resume")


def test_two_commands_on_one_folder_share_the_runs(desk: Desk) -> None:
    desk.grid("seed = [0, 1, 2, 3]\n")
    both = desk.begin(), desk.begin()
    for command in both:
        code, output = desk.end(command)
        assert code == 0, output
    assert len(desk.learned()) == 4
    assert sorted(Counter(desk.submitted()).values()) == [1] * 4


def test_ctrl_c_cancels_the_jobs(desk: Desk, slurm: Cluster, undisturbed: dict[str, bytes]) -> None:
    desk.grid(ONE)
    desk.pause(PAUSE)
    command = desk.begin()
    begun(desk)
    command.send_signal(signal.SIGINT)
    code, output = desk.end(command, 90)
    assert code == 130, output
    assert not slurm.jobs()
    desk.pause(0)
    assert desk.run()[0] == 0
    assert desk.learned() == undisturbed


def test_jobs_are_left_shown_picked_up_and_cancelled(
    desk: Desk, slurm: Cluster, undisturbed: dict[str, bytes]
) -> None:
    desk.grid(ONE)
    desk.pause(PAUSE)
    code, output = desk.run("--detach")
    assert code == 0, output
    assert "1 jobs are in the queue" in output
    begun(desk)
    (run,) = desk.states()
    assert run["state"] == "running"
    assert run["job"]["place"] in ("n1", "n2")
    assert run["job"]["id"] in slurm.jobs()
    code, output = desk.call("grid", "logs", run["hash"][:6])
    assert code == 0
    assert f"is running, job {run['job']['id']}, n" in output

    code, output = desk.call("grid", "cancel", "grid.toml")
    assert (code, output) == (0, "1 jobs cancelled\n")
    eventually(lambda: not slurm.jobs())
    assert desk.run("--detach")[0] == 0
    command = desk.begin()  # follows the job of the command before
    desk.pause(0)
    code, output = desk.end(command)
    assert code == 0, output
    assert len(desk.submitted()) == 2
    assert desk.learned() == undisturbed


def test_gpus_are_those_that_slurm_gives(desk: Desk, slurm: Cluster) -> None:
    told = desk.path / "told"
    with variables(slurm):
        executor = build(SlurmOptions(cpus=1, gpus=2, poll_seconds=0.5), context(desk))
        executor.start(Job("a", ("/bin/sh", "-c", f'echo "$CUDA_VISIBLE_DEVICES" > {told}')))
        (end,) = wait_for(executor, 1)
    assert end == 0
    assert told.read_text() == "0,1\n"


def test_a_thousand_jobs_are_each_done_once(tmp_path: Path) -> None:
    """What counts is not the runs but the queue: each job makes a file that none may find."""
    done = tmp_path / "done"
    done.mkdir()
    with cluster(tmp_path / "slurm", CPUS=16) as slurm, variables(slurm):
        ctx = ExecutorContext(jobs=None, device="cpu", out=tmp_path / "runs")
        executor = build(SlurmOptions(cpus=1, poll_seconds=1.0), ctx)
        for number in range(1000):
            executor.start(Job(str(number), ("/bin/mkdir", str(done / str(number)))))
        assert wait_for(executor, 1000) == [0] * 1000
    assert len(list(done.iterdir())) == 1000


def context(desk: Desk) -> ExecutorContext:
    return ExecutorContext(jobs=None, device="cpu", out=desk.path / "runs")


def wait_for(executor: Slurm, count: int) -> list[int | None]:
    """Returns the exit codes of jobs, waited for up to ten minutes."""
    ends: list[int | None] = []
    until = time.monotonic() + 600
    while len(ends) < count and time.monotonic() < until:
        ends += [end.code for end in executor.wait(1.0)]
    return ends


@contextmanager
def variables(slurm: Cluster) -> Iterator[None]:
    """Gives this process the environment of a cluster."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PATH", "SLURM_CONF"):
            patch.setenv(name, slurm.environment[name])
        yield


def test_an_ordinary_user_needs_no_more() -> None:
    if os.getuid() != 0:
        pytest.skip("every other test is one of an ordinary user")
    with tempfile.TemporaryDirectory() as name:  # Slurm looks at the folders above, too
        folder = Path(name)
        os.chown(folder, NOBODY, NOBODY)
        with cluster(folder / "slurm", AS_NOBODY, HOME=folder) as slurm:
            desk = Desk(folder / "desk", slurm)
            desk.grid("seed = 0\n")
            for path in (desk.path, *desk.path.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
            code, output = desk.run()
            assert code == 0, output
            assert desk.found("result.json")[0].stat().st_uid == NOBODY


def test_the_rules_of_executors_hold_on_a_cluster(slurm: Cluster, registry: Registry) -> None:
    component = registry.find("executor", "slurm")
    with variables(slurm):
        checks = [one for one in checks_for(component, registry) if "executor" in one.name]
        assert len(checks) >= 4
        for check in checks:
            check()
