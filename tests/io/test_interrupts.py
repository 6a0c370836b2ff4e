"""Signals to small processes that use the handlers as the commands do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ltbench.errors import Interrupted
from ltbench.io import interrupts

BEGIN = "import os, signal, sys, time\nfrom ltbench.io import interrupts\ninterrupts.install()\n"
SELF = "os.kill(os.getpid(), signal.SIGTERM)\n"
AT_ONCE = (130, "", "error: interrupted\nhint: start the same command again\n")


def ended(code: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code], capture_output=True, text=True, timeout=50
    )
    return done.returncode, done.stdout, done.stderr


def test_a_command_with_nothing_to_complete_ends_at_once() -> None:
    assert ended(f"{SELF}print('on')") == AT_ONCE


def test_a_deferred_block_completes_what_it_writes() -> None:
    code = (
        "from ltbench.errors import Interrupted\n"
        "try:\n"
        "    with interrupts.deferred():\n"
        f"        {SELF}"
        "        with interrupts.deferred():\n"
        "            print('written')\n"
        "except Interrupted as error:\n"
        "    sys.exit(error.exit_code)"
    )
    assert ended(code) == (130, "written\n", "")


def test_a_signal_in_a_fork_hook_is_not_lost() -> None:
    code = (
        "os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGTERM))\n"
        "with interrupts.deferred():\n"
        "    child = os.fork() or os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
        "    print(interrupts.requested(), flush=True)\n"
        "    os._exit(0)"
    )
    assert ended(code) == (0, "True\n", "")


def test_whatever_error_arrives_is_named_by_the_flag() -> None:
    code = (
        "from ltbench.errors import Interrupted\n"
        "try:\n"
        "    with interrupts.named(), interrupts.deferred():\n"
        f"        {SELF}"
        "        raise RuntimeError('DataLoader worker is killed by signal')\n"
        "except Interrupted as error:\n"
        "    sys.exit(error.exit_code)"
    )
    assert ended(code) == (130, "", "")


@pytest.mark.parametrize("grace", [0.2, 30.0])
def test_a_library_that_blocks_is_ended_with_its_processes(grace: float) -> None:
    """After the grace period, or by a second signal."""
    again = f"interrupts.REPEAT_SECONDS = 0.0\n    {SELF}" if grace > 1 else "\n"
    code = (
        "import subprocess\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "print(child.pid, flush=True)\n"
        f"interrupts._state.grace_seconds = {grace}\n"
        f"with interrupts.deferred({grace}):\n"
        f"    {SELF}    {again}"
        "    time.sleep(20)"
    )
    found, out, err = ended(code)
    assert (found, err) == (130, AT_ONCE[2])
    status = Path(f"/proc/{out.strip()}/stat")
    until = time.monotonic() + 30  # the kernel ends it soon, not at once
    while is_alive(status) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_alive(status)


@pytest.mark.parametrize(("second", "expected"), [("SIGTERM", "written\n"), ("SIGINT", "")])
def test_a_queue_may_send_its_signal_twice(second: str, expected: str) -> None:
    code = (
        "try:\n"
        "    with interrupts.deferred():\n"
        f"        {SELF}"
        f"        os.kill(os.getpid(), signal.{second})\n"
        "        print('written')\n"
        "except interrupts.Interrupted as error:\n"
        "    sys.exit(error.exit_code)"
    )
    found, out, _ = ended(code)
    assert (found, out) == (130, expected)


def is_alive(status: Path) -> bool:
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_late_signal_does_not_change_the_exit_code() -> None:
    at_exit = "import atexit\natexit.register(os.kill, os.getpid(), signal.SIGTERM)\n"
    assert ended(f"interrupts.finish(4)\n{SELF}print('told')\n{at_exit}sys.exit(4)") == (
        *(4, "told\n"),
        "",
    )


def test_forked_processes_end_by_sigterm_and_leave_sigint_to_their_parent() -> None:
    code = (
        "child = os.fork()\n"
        "if not child:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        f"    {SELF}"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), interrupts.requested())"
    )
    assert ended(code) == (0, "-15 False\n", "")


def test_forked_processes_read_the_flag() -> None:
    code = (
        "reader, writer = os.pipe()\n"
        "with interrupts.deferred():\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        os.read(reader, 1)\n"
        "        os._exit(7 if interrupts.requested() else 0)\n"
        f"    {SELF}"
        "    os.write(writer, b'x')\n"
        "    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)\n"
        "    os._exit(0)"
    )
    assert ended(code) == (0, "7\n", "")


def test_a_function_of_the_api_gives_the_handlers_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    after_the_first = []

    def interrupted() -> None:
        with interrupts.caught():
            os.kill(os.getpid(), signal.SIGTERM)
            after_the_first.append(signal.getsignal(signal.SIGTERM))

    with pytest.raises(Interrupted):
        interrupted()
    assert after_the_first == [signal.SIG_DFL]  # a second one ends the process
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert not interrupts.requested()


def test_a_function_of_the_api_keeps_the_users_handlers() -> None:
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        with interrupts.caught():
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert received == [signal.SIGTERM]


@pytest.mark.parametrize("end", [SELF, "pass\n"])
def test_what_is_cleaned_up_goes_also_where_a_signal_ends_the_process(end: str) -> None:
    code = f"with interrupts.cleaned_up(lambda: os.write(1, b'clean')):\n    {end}"
    assert ended(code)[1] == "clean"


def test_a_signal_that_arrives_during_the_cleaning_does_not_stop_it() -> None:
    code = (
        "calls = []\n"
        "def clean():\n"
        "    calls.append(0)\n"
        "    if len(calls) == 1:\n"
        f"        {SELF}"
        "    os.write(1, b'clean')\n"
        "with interrupts.cleaned_up(clean):\n"
        "    pass"
    )
    assert ended(code)[:2] == (130, "clean")
