from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ltbench.contexts import ExecutorContext
from ltbench.errors import ConfigError, RunError
from ltbench.grid.fork_server import LinuxForkServer, fork_server_factory
from ltbench.jobs import Ended, Job
from ltbench.specs import NoOptions
from ltbench_plugins.executors import local
from tests.covered import value_of


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def built(jobs: int | None, device: str = "cpu") -> local.Local:
    return local.build(NoOptions(), ExecutorContext(jobs=jobs, device=device))


def python(name: str, code: str) -> Job:
    return Job(name, (sys.executable, "-c", code))


def ends(executor: local.Local, *jobs: Job) -> dict[str, Ended]:
    for job in jobs:
        executor.start(job)
    ended: dict[str, Ended] = {}
    until = time.monotonic() + 60
    while len(ended) < len(jobs) and time.monotonic() < until:
        ended |= {one.job: one for one in executor.wait(1)}
    return ended


@value_of("executor", "local")
def test_cores_are_divided(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(local, "_cores", lambda: 8)
    monkeypatch.setattr(local, "_memory", lambda: 13 * 2**30)
    assert built(None).slots == 3  # 4 GB each
    code = "import os, pathlib; pathlib.Path({!r}).write_text(os.environ['OMP_NUM_THREADS'])"
    for jobs, threads in ((1, "8"), (3, "2"), (20, "1")):
        executor = built(jobs)
        assert executor.slots == jobs
        ends(executor, python("one", code.format(str(tmp_path / "threads"))))
        assert (tmp_path / "threads").read_text() == threads
    monkeypatch.setenv("OMP_NUM_THREADS", "5")  # of whoever started us
    ends(built(3), python("one", code.format(str(tmp_path / "threads"))))
    assert (tmp_path / "threads").read_text() == "5"


@pytest.mark.parametrize(
    ("visible", "jobs", "given"),
    [
        (None, None, ["0", "1", "2"]),
        (None, 4, ["0", "1", "2", "0"]),
        ("5,GPU-1b,7", None, ["5", "GPU-1b", "7"]),
    ],
)
def test_gpus_are_shared_out(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, jobs: int | None, given: list[str]
) -> None:
    import torch

    monkeypatch.setattr(local, "_has_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = [slot["CUDA_VISIBLE_DEVICES"] for slot in built(jobs, "auto")._environments]
    assert found == given
    assert built(None, "cuda:1").slots == 1  # that one, as it is
    assert "CUDA_VISIBLE_DEVICES" not in built(None, "cuda:1")._environments[0]


def test_a_run_has_several_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(local, "_has_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 5)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    made = local.build(NoOptions(), ExecutorContext(jobs=None, device="cuda", gpus=2))
    found = [slot["CUDA_VISIBLE_DEVICES"] for slot in made._environments]
    assert found == ["0,1", "2,3"]  # the last is left over
    with pytest.raises(ConfigError, match=r"--gpus-per-run: expected at most 5, .* got 6"):
        local.build(NoOptions(), ExecutorContext(jobs=None, device="cuda", gpus=6))


def test_a_slot_is_free_again_when_its_process_has_ended() -> None:
    executor = built(2)
    for _ in range(2):
        ended = ends(executor, python("a", ""), python("b", "raise SystemExit(3)"))
        assert {name: one.code for name, one in ended.items()} == {"a": 0, "b": 3}


def test_an_end_is_told_with_its_cause() -> None:
    code = "import os, sys; print('deep trouble', file=sys.stderr, flush=True); os.{}"
    ended = ends(
        built(3),
        python("killed", code.format("kill(os.getpid(), 9)")),
        python("exited", code.format("_exit(7)")),
        python("quiet", "import os; os.abort()"),
    )
    assert ended["killed"].reason == "killed by SIGKILL (out of memory?): deep trouble"
    assert ended["exited"].reason == "exit code 7: deep trouble"
    assert ended["quiet"] == Ended("quiet", -signal.SIGABRT, "killed by SIGABRT")


def test_outputs_are_kept_where_there_are_any() -> None:
    executor, logs = built(2), Path("runs/.jobs/logs")
    ends(executor, python("silent", ""))
    assert list(logs.iterdir()) == []
    (logs / "loud.log").symlink_to("elsewhere")  # the output of a job of a cluster
    for word in ("first", "second"):
        ended = ends(executor, python("loud", f"raise SystemExit({word!r})"))
        assert ended["loud"].reason == f"exit code 1: {word}"  # without that of earlier jobs
    assert (logs / "loud.log").read_text() == "first\nsecond\n"
    (logs / "wrong.log").mkdir()
    with pytest.raises(RunError, match=r"wrong\.log cannot be written: Is a directory"):
        executor.start(python("wrong", ""))


def test_stopping_kills_what_does_not_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(local, "STOP_SECONDS", 1.0)
    executor = built(2)
    stubborn = (
        "import os, pathlib, subprocess, sys, time; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        f"pathlib.Path({str(tmp_path / 'pids')!r}).write_text(f'{{os.getpid()}} {{child.pid}}'); "
        "time.sleep(60)"
    )
    executor.start(python("stubborn", stubborn))
    executor.start(python("docile", "import sys; sys.stdin.read()"))
    until = time.monotonic() + 30
    while not (tmp_path / "pids").exists() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.1)
    began = time.monotonic()
    executor.stop()
    assert 0.9 < time.monotonic() - began < 10
    assert executor.wait(0) == []
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        while _runs(pid) and time.monotonic() < began + 30:  # killed, but not yet gone
            time.sleep(0.05)
        assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_command_that_is_not_there_is_an_error() -> None:
    executor = built(1)
    with pytest.raises(RunError, match="no process can be started: No such file"):
        executor.start(Job("a", ("/there/is/nothing",)))
    executor.stop()


def requested(name: str, code: str) -> Job:
    """A job that is forked, by a server that has imported `tests.grid.playground`."""
    return Job(name, (sys.executable, "-c", code), code)


@pytest.fixture
def forking(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., local.Local]:
    """Builds executors whose server imports what a test writes, and then takes code."""
    if fork_server_factory(()) is None:
        pytest.skip("no fork server on this system")
    root = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), root]))

    def build(jobs: int, library: str = "") -> local.Local:
        (tmp_path / "library.py").write_text(library)
        start = fork_server_factory(("library", "tests.grid.playground"))
        context = ExecutorContext(jobs=jobs, device="cpu", fork_server=start)
        return local.build(NoOptions(), context)

    return build


def test_jobs_with_a_request_are_forked(
    forking: Callable[..., local.Local], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    executor = forking(3)
    code = "import os, sys; print('deep trouble', file=sys.stderr); {}"
    telling = "import os, sys; print(os.getppid(), at_import, os.environ['OMP_NUM_THREADS'])"
    ended = ends(
        executor,
        requested("killed", code.format("os.kill(os.getpid(), 9)")),
        requested("exited", code.format("code = 7")),
        requested("told", telling + "; code = 7"),
    )
    assert isinstance(executor._server, LinuxForkServer)
    server = executor._server._server.pid
    assert ended["killed"].reason == "killed by SIGKILL (out of memory?): deep trouble"
    assert ended["exited"] == Ended("exited", 7, "exit code 7: deep trouble")
    assert ended["told"].reason == f"exit code 7: {server} 2 2"
    assert ends(executor, requested("next", "pass"), python("command", ""))["next"].code == 0
    assert executor._server._server.pid == server
    executor.stop()
    assert not _runs(server)


@pytest.mark.full
def test_without_a_fork_server_jobs_are_started_by_their_commands(
    forking: Callable[..., local.Local],
) -> None:
    executor = forking(2, "import os; os._exit(3)")
    with pytest.warns(UserWarning, match=r"the fork server has ended \(3\)"):
        ended = ends(executor, requested("a", "import os; os._exit(4)"), requested("b", "pass"))
    assert {name: one.code for name, one in ended.items()} == {"a": 4, "b": 0}
    with pytest.warns(UserWarning, match="with their own imports"):
        assert ends(executor, requested("c", "pass"))["c"].code == 0
    executor.stop()


@pytest.mark.full
def test_what_a_killed_fork_server_takes_along_is_started_by_its_command(
    forking: Callable[..., local.Local], tmp_path: Path
) -> None:
    """The first process kills its parent, the fork server; the second one is a command."""
    begun = tmp_path / "begun"
    code = (
        f"import os, pathlib, time; begun = pathlib.Path({str(begun)!r})\n"
        "if begun.exists(): os._exit(6)\n"
        "begun.touch(); os.kill(os.getppid(), 9); time.sleep(60)"
    )
    executor = forking(1)
    with pytest.warns(UserWarning, match=r"the fork server has ended \(-9\)"):
        ended = ends(executor, requested("a", code))
    assert ended["a"] == Ended("a", 6, "exit code 6")


def test_stopping_does_not_wait_for_imports(forking: Callable[..., local.Local]) -> None:
    executor = forking(1, "import time; time.sleep(60)")
    executor.start(requested("a", "pass"))
    began = time.monotonic()
    executor.stop()
    assert time.monotonic() - began < 5
    assert executor.wait(0) == []


@pytest.mark.full
def test_stopping_kills_forked_processes_that_do_not_end(
    forking: Callable[..., local.Local], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(local, "STOP_SECONDS", 1.0)
    executor = forking(2)
    stubborn = f"import os, time, pathlib; pathlib.Path({str(tmp_path / 'pid')!r})"
    executor.start(requested("a", stubborn + ".write_text(str(os.getpid())); time.sleep(60)"))
    executor.start(requested("docile", "import sys; sys.stdin.read()"))
    until = time.monotonic() + 60
    while not (tmp_path / "pid").exists() and time.monotonic() < until:
        executor.wait(0.1)
    began = time.monotonic()
    executor.stop()
    assert 0.9 < time.monotonic() - began < 10
    assert not _runs(int((tmp_path / "pid").read_text()))
