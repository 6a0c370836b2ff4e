"""The Ray executor without a cluster; with one: tests/cluster/test_ray.py."""

from __future__ import annotations

import _thread
import sys
import threading
from pathlib import Path

import pytest

from ltbench.contexts import ExecutorContext
from ltbench.errors import ConfigError, RunError
from ltbench.jobs import Resources
from ltbench_plugins.executors.ray import build, connection
from ltbench_plugins.executors.ray.command import run_command
from ltbench_plugins.executors.ray.demand import Demand, RayOptions, needs_of
from ltbench_plugins.executors.ray.tasks import refusal
from tests.covered import value_of

NODES = (
    {"Alive": True, "Resources": {"CPU": 8.0, "memory": 32e9}},
    {"Alive": True, "Resources": {"CPU": 7.0, "GPU": 2.0, "memory": 64e9, "fast": 1.0}},
    {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0, "memory": 1e12}},
)


def demand(needs: Resources = Resources(), device: str = "cpu", **options: object) -> Demand:  # noqa: B008  # frozen
    return Demand.of(RayOptions(**options), needs, device, NODES)  # type: ignore[arg-type]


@value_of("executor", "ray")
def test_a_cluster_holds_what_its_living_nodes_hold() -> None:
    assert demand().capacity(NODES) == 15
    assert demand(cpus=2).capacity(NODES) == 4 + 3
    assert demand(memory=16).capacity(NODES) == 2 + 4
    assert demand(Resources(gpus=1)).capacity(NODES) == 2
    assert demand(gpus=0.5).capacity(NODES) == 4
    assert demand(resources=("fast",)).capacity(NODES) == 1
    assert demand(resources=("tpu",)).capacity(NODES) == 0


def test_gpus_are_reserved_where_the_cluster_has_some() -> None:
    assert demand(device="auto").amounts == {"CPU": 1.0, "GPU": 1}
    assert demand(Resources(ranks=2), "auto", cpus=3).amounts == {"CPU": 6.0, "GPU": 2}
    assert demand(device="auto", gpus=0).amounts == {"CPU": 1.0}
    few = Demand.of(RayOptions(memory=2, resources=("fast",)), Resources(), "auto", NODES[:1])
    assert few.options() == {"num_cpus": 1.0, "memory": 2e9, "resources": {"fast": 1.0}}
    assert str(few) == "1 CPU, 2 GB of memory, 1 fast"


def test_runs_of_several_gpus_take_fewer_places() -> None:
    for gpus, places in ((1, 2), (2, 1), (3, 0)):
        ctx = ExecutorContext(jobs=None, device="cuda", gpus=gpus)
        assert demand(needs_of(ctx), "cuda").capacity(NODES) == places
    one = ExecutorContext(jobs=None, device="auto")
    assert demand(needs_of(one), "auto").amounts == {"CPU": 1.0, "GPU": 1}
    assert needs_of(ExecutorContext(jobs=None, device="cpu")) == Resources()


def test_a_command_ends_with_its_code_and_its_last_output(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    for code in (0, 3):
        command = (sys.executable, "-S", "-c", f"print('seen', {code}); raise SystemExit({code})")
        assert run_command(command, str(tmp_path), {}, str(log)) == (code, f"seen {code}")
    assert log.read_text() == "seen 0\nseen 3\n"
    log.unlink()
    command = (sys.executable, "-S", "-c", "")
    assert run_command(command, str(tmp_path), {"A": "1"}, str(log)) == (0, "")
    assert not log.exists()


def test_a_machine_without_the_folder_runs_nothing(tmp_path: Path) -> None:
    far, log = tmp_path / "far", tmp_path / "log"
    command = (sys.executable, "-S", "-c", "")
    for folder, output in ((tmp_path, far / "log"), (far, log)):
        with pytest.raises(FileNotFoundError) as caught:
            run_command(command, str(folder), {}, str(output))
        assert str(far) in refusal(caught.value, command[0], "node2").message
        assert not far.exists()
    with pytest.raises(FileNotFoundError) as caught:
        run_command(("/far/python",), str(tmp_path), {}, str(log))
    refused = refusal(caught.value, "/far/python", "node2")
    assert "cannot run the command of a job" in refused.message
    assert refused.hint == "ltbench must have the same path on each node"


def test_a_cancelled_task_interrupts_its_command(tmp_path: Path) -> None:
    command = (sys.executable, "-S", "-c", "import sys; sys.stdin.read(); raise SystemExit(130)")
    threading.Timer(0.2, _thread.interrupt_main).start()  # as Ray does
    assert run_command(command, str(tmp_path), {}, str(tmp_path / "log")) == (130, "")


@pytest.mark.parametrize("address", ["ray://node:10001", "node", "node:port"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="expected HOST:PORT"):
        connection._require_head(address)


def test_a_head_that_does_not_answer_is_named() -> None:
    with pytest.raises(RunError, match=r"no Ray head answers at 127\.0\.0\.1:9"):
        connection._require_head("127.0.0.1:9")


def test_a_copied_folder_of_runs_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "runtime_resources" / "working_dir_files" / "_ray_pkg" / "runs"
    with pytest.raises(ConfigError, match="copied working directory of a Ray job"):
        build(RayOptions(), ExecutorContext(jobs=None, device="cpu", out=out))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match="needs the package ray") as caught:
        connection.connect(None)
    assert caught.value.hint == "pip install 'ltbench[ray]'"
