"""Plugins that end or hang a process are found in a trial."""

from __future__ import annotations

import os
import re
import time
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ltbench.registry import trial
from ltbench.registry.marked_processes import VARIABLE, environment, kill_marked, marked
from tests.broken import LOSS
from tests.tiers import all_but

FATAL = {
    "exits": ("import os; os._exit(0)", "loading it ended the process with exit code 0"),
    "leaves_a_daemon": (
        "import subprocess; subprocess.Popen(['sleep', '90'], start_new_session=True)",
        "it leaves a process running",
    ),
    "crashes": (
        "import ctypes; ctypes.string_at(0)",
        "loading it killed the process (SIGSEGV) (PLUGIN:6)",
    ),
    "kills": (
        "import os; os.kill(os.getpid(), 9)",
        "loading it killed the process (SIGKILL) (PLUGIN)",
    ),
    "exits_at_its_end": (
        "import atexit, os; atexit.register(os._exit, 7)",
        "after it was loaded, it ended the process with exit code 7",
    ),
    "forks": ("import os; os.fork()", "its import forks the process"),
    "leaves_a_fork": (
        "import os, time\nif not os.fork():\n    time.sleep(90)\n    os._exit(0)",
        "it leaves a process running",
    ),
    "closes_files": ("import os; os.closerange(3, 200)", "loading it ended the process"),
}
SLOW = {
    "hangs": ("import time; time.sleep(90)", "it was not loaded within 5 s (PLUGIN:6)"),
    "loops": ("while True: pass", "it was not loaded within 5 s (PLUGIN:6)"),
    "leaves_a_thread": (
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(90,), name='sleeper').start()",
        "it keeps the process from ending (thread sleeper)",
    ),
    "blocks_the_end": (
        "import atexit, time; atexit.register(time.sleep, 90)",
        "it keeps the process from ending",
    ),
}


def plugin_of(folder: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> EntryPoint:
    (folder / "tried_plugin.py").write_text(LOSS.replace("LTBENCH_API = 1", line))
    monkeypatch.syspath_prepend(folder)
    return EntryPoint("tried", "tried_plugin", "ltbench")


def check(folder: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str) -> None:
    point = plugin_of(folder, monkeypatch, line)
    expected = re.escape(said).replace("PLUGIN", re.escape(str(folder / "tried_plugin.py")))
    assert re.match(expected, trial.fault_of(point))


@pytest.mark.parametrize("name", all_but(["exits", "forks"], FATAL))
def test_what_ends_a_process_is_found(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(tmp_path, monkeypatch, *FATAL[name])


@pytest.mark.full
@pytest.mark.parametrize("name", SLOW)
def test_what_hangs_is_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "LIMIT_SECONDS", 5.0 if "5 s" in SLOW[name][1] else 60.0)
    monkeypatch.setattr(trial, "EXIT_SECONDS", 1.0)
    check(tmp_path, monkeypatch, *SLOW[name])


@pytest.mark.parametrize("line", ["LTBENCH_API = 1", "raise GeneratorExit"])
def test_what_can_be_caught_is_left_to_the_command(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trial.fault_of(plugin_of(tmp_path, monkeypatch, line)) == ""


def test_processes_are_found_by_their_token_in_any_session() -> None:
    child = os.fork()
    if not child:
        os.setsid()
        os.execve("/bin/sleep", ["sleep", "90"], environment("sought"))
    while marked("sought") != [child]:
        time.sleep(0.01)
    assert marked("other") == []
    kill_marked("sought")
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == 9
    assert VARIABLE not in os.environ
