"""The fork server with real processes; see tests/cli/test_grid.py for whole grids."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ltbench.grid.fork_server import MAX_MESSAGE_BYTES, LinuxForkServer, fork_server_factory
from ltbench.jobs import ForkedProcess
from tests.tiers import all_but

pytestmark = pytest.mark.skipif(
    fork_server_factory(()) is None, reason="no fork server on this system"
)
ROOT = Path(__file__).parents[2]
PLAYGROUND = "tests.grid.playground"


def started(*libraries: str, folder: Path = ROOT, threads: str = "1") -> LinuxForkServer:
    path = os.pathsep.join([str(folder), str(ROOT), *filter(None, sys.path)])
    return LinuxForkServer(libraries, {"PYTHONPATH": path, "OMP_NUM_THREADS": threads})


@pytest.fixture(scope="module")
def server() -> Iterator[LinuxForkServer]:
    server = started("there_is.no_such_module", PLAYGROUND, threads="2")
    yield server
    server.close()


class Process:
    """A process of a server, its standard input and what it says."""

    def __init__(self, server: LinuxForkServer, code: str, **environment: str) -> None:
        self._server = server
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        inner, outer = os.pipe()
        self.stdin = os.fdopen(outer, "wb")
        try:
            self.process = server.start(code, environment, inner, self._said.fileno())
        except OSError:
            self.close()
            raise
        finally:
            os.close(inner)

    def kill(self) -> None:
        self._server.kill(self.process)

    def close(self) -> None:
        self.stdin.close()
        self._said.close()

    def until(self, what: Callable[[ForkedProcess], object]) -> ForkedProcess:
        end = time.monotonic() + 60
        while not what(self.process):
            assert time.monotonic() < end, "it has not come to that"
            self._server.wait(0.5)
        return self.process

    def ended(self) -> tuple[int | None, str]:
        self.until(lambda process: process.ended)
        said = self.said()
        self.close()
        return self.process.code, said

    def said(self) -> str:
        return os.pread(self._said.fileno(), 10_000, 0).decode()


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(pid: int) -> bool:
    end = time.monotonic() + 30
    while runs(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not runs(pid)


def test_exit_codes_and_signals_and_last_words_are_told(server: LinuxForkServer) -> None:
    code = "import os, sys; print('deep trouble', file=sys.stderr); {}"
    codes = {
        "pass": 0,
        "code = 75": 75,
        "raise SystemExit": 1,  # the worker raises none
        "os._exit(9)": 9,
        "os.kill(os.getpid(), 9)": -signal.SIGKILL,
        "os.abort()": -signal.SIGABRT,
        "os.kill(os.getpid(), 15)": 130,
    }
    processes = [Process(server, code.format(end)) for end in codes]
    for process, expected in zip(processes, codes.values(), strict=True):
        found, said = process.ended()
        assert found == expected
        assert said.startswith("deep trouble\n")


def test_a_crash_says_where(server: LinuxForkServer) -> None:
    code, said = Process(server, "import ctypes; ctypes.string_at(0)").ended()
    assert code == -signal.SIGSEGV
    assert "Segmentation fault" in said
    assert "string_at" in said
    code, said = Process(server, "1 / 0").ended()
    assert code == 1
    assert said.endswith("ZeroDivisionError: division by zero\n")


def test_output_and_exit_handlers_are_not_lost(server: LinuxForkServer) -> None:
    code = "import atexit; atexit.register(print, 'goodbye'); print('hello')"
    assert Process(server, code).ended() == (0, "hello\ngoodbye\n")


def test_a_process_has_its_own_session_and_all_imports(
    server: LinuxForkServer,
) -> None:
    code = """if True:
        import os, sys, threading, torch, ltbench.engine.run
        print(os.getsid(0) == os.getpid(), os.getcwd(), threading.active_count())
        print("classifier_only" in registry.components["method"], torch.cuda._is_in_bad_fork())
        print(sorted(os.listdir("/proc/self/fd")))
    """
    code, said = Process(server, code).ended()
    assert said.splitlines() == [
        f"True {Path.cwd()} 1",
        "True False",
        "['0', '1', '2', '3']",  # nothing is left open; 3 is the folder that is listed
    ]
    assert code == 0


def test_the_environment_holds(server: LinuxForkServer) -> None:
    code = "import os, torch; print(at_import, torch.get_num_threads(), os.environ.get('SLOT'))"
    assert Process(server, code, SLOT="b").ended() == (0, "2 2 b\n")
    assert Process(server, code).ended() == (0, "2 2 None\n")
    used = "torch.rand(2000, 2000) @ torch.rand(2000, 2000)\n"  # more threads than the server's
    told = "import os, torch\n" + used + "print(len(os.listdir('/proc/self/task')) > 1)"
    assert [Process(server, told).ended() for _ in "ab"] == [(0, "True\n")] * 2


def test_memory_is_told_of_the_process_alone(server: LinuxForkServer) -> None:
    code = "import resource; kept = bytearray({}); kept[::4096] = b'1' * len(kept[::4096])\n"
    code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    little, much = (int(Process(server, code.format(n)).ended()[1]) for n in (0, 300 << 20))
    assert 280 << 10 < much - little < 340 << 10
    after = int(Process(server, code.format(0)).ended()[1])
    assert after < little + (50 << 10)


def test_closing_its_input_interrupts_a_process(server: LinuxForkServer) -> None:
    process = Process(
        server,
        "import threading, time; from ltbench.grid import worker\n"
        "threading.Thread(target=worker._watch_stdin, daemon=True).start()\n"
        "print('up', flush=True)\ntime.sleep(60)",
    )
    other = Process(server, "import time; time.sleep(1)")  # has no other end of that input
    process.until(lambda one: process.said())
    began = time.monotonic()
    process.stdin.close()
    code, said = process.ended()
    assert (code, said.splitlines()[:2]) == (130, ["up", "error: interrupted"])
    assert time.monotonic() - began < 10
    assert other.ended()[0] == 0


WITH_A_CHILD = "import os, subprocess, time; child = subprocess.Popen(['sleep', '60'])\n"


@pytest.mark.parametrize("how", ["it is killed", "somebody kills it", "it crashes"])
def test_what_a_process_has_started_ends_with_it(server: LinuxForkServer, how: str) -> None:
    then = "os._exit(3)" if how == "it crashes" else "time.sleep(60)"
    process = Process(server, WITH_A_CHILD + f"print(child.pid, flush=True)\n{then}")
    process.until(lambda one: one.pid and process.said())
    if how == "it is killed":
        process.kill()
    elif how == "somebody kills it":
        assert process.process.pid
        os.kill(process.process.pid, signal.SIGKILL)
    code, said = process.ended()
    assert code == (3 if how == "it crashes" else -signal.SIGKILL)
    assert gone(int(said))
    process.kill()  # once more does nothing


def test_a_request_can_be_too_long(server: LinuxForkServer) -> None:
    with pytest.raises(OSError, match="too long"):
        Process(server, "#" * MAX_MESSAGE_BYTES)
    assert Process(server, "#" * (MAX_MESSAGE_BYTES - 100)).ended() == (0, "")


@pytest.mark.full
def test_a_server_that_is_closed_ends(tmp_path: Path) -> None:
    server = started(PLAYGROUND)
    process = Process(server, "pass")
    assert process.ended() == (0, "")
    server.close()
    assert server.end_reason
    assert not runs(server._server.pid)
    with pytest.raises(OSError, match="it was closed"):
        Process(server, "pass")
    server.close()


def test_a_server_that_still_imports_is_closed_at_once(tmp_path: Path) -> None:
    (tmp_path / "slow_library.py").write_text("import time; time.sleep(60)")
    server = started("slow_library", folder=tmp_path)
    process = Process(server, "pass")
    server.wait(0.1)
    began = time.monotonic()
    server.close()
    assert time.monotonic() - began < 5
    assert process.process.lost
    assert process.process.pid is None
    process.close()


def test_a_server_that_dies_says_so_and_loses_its_processes() -> None:
    server = started(PLAYGROUND)
    process = Process(server, "import sys; sys.stdin.read()")
    process.until(lambda one: one.pid)
    server._server.kill()
    assert process.until(lambda one: one.ended).lost
    assert process.process.error == "the fork server has ended (-9)"
    assert process.process.code is None
    process.kill()
    process.close()
    assert gone(process.process.pid or 0)


@pytest.mark.parametrize(
    ("library", "said"),
    [
        ("import threading as t, time; t.Thread(target=time.sleep, args=[9]).start()", "threads"),
        pytest.param("import os; os._exit(7)", "has ended (7)", marks=pytest.mark.full),
        pytest.param("import os; os.abort()", "has ended (-6)", marks=pytest.mark.full),
    ],
)
def test_a_server_that_cannot_be_used_is_gone(tmp_path: Path, library: str, said: str) -> None:
    (tmp_path / "bad_library.py").write_text(library)
    server = started("bad_library", PLAYGROUND, folder=tmp_path)
    process = Process(server, "pass")
    process.until(lambda one: one.lost)
    assert process.process.pid is None
    assert said in server.end_reason
    process.close()


@pytest.mark.full
@pytest.mark.parametrize(
    "library", all_but(["1 +"], ["raise RuntimeError('broken')", "raise SystemExit(3)", "1 +"])
)
def test_a_library_that_cannot_be_imported_is_left_out(tmp_path: Path, library: str) -> None:
    (tmp_path / "bad_library.py").write_text(library)
    server = started("bad_library", PLAYGROUND, folder=tmp_path)
    assert Process(server, "print('fine')").ended() == (0, "fine\n")
    server.close()


def test_a_parent_that_is_killed_takes_server_and_processes_along() -> None:
    code = f"""if True:
        import os, sys, time
        sys.path.insert(0, {str(ROOT)!r})
        from tests.grid.test_fork_server import Process, started
        server = started({PLAYGROUND!r})
        docile = Process(server, "import sys; sys.stdin.read()")
        docile.until(lambda one: one.pid)
        print(os.getpid(), server._server.pid, docile.process.pid, flush=True)
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        _, server, process = map(int, parent.stdout.readline().split())
        parent.kill()
    assert gone(process)
    assert gone(server)
