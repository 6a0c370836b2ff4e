"""Interruption of a command by SIGINT or SIGTERM, without an exception from a signal handler.

An exception from a handler is lost in a fork hook or a destructor, and libraries convert it into
errors of their own. The handlers of this module end a command at once where it has nothing to
complete, which is the default. In a `deferred` block they set a flag: loops call `check` once per
step, and the outermost handler of errors names the interruption by the flag. A second signal ends
the command at once, and so does a library that blocks it for longer than the grace period. A second
SIGTERM counts after some seconds: queues of clusters send it to a job's steps and to its script.
Files are written atomically, so that a run can be resumed in each case.

Python calls a handler between two steps of the main thread: a signal during one long call of a
compiled library takes effect after it.
"""

from __future__ import annotations

import _thread
import atexit
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from ltbench.errors import Interrupted

GRACE_SECONDS = 10.0  # from a signal in a deferred block until the command is ended
LATE_SECONDS = 0.5  # for a signal that is sent to all processes of a job, one after the other
REPEAT_SECONDS = 3.0  # from a signal until a SIGTERM is a second one, and not the same once more

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_HINT = "start the same command again"
_SHOW_CURSOR = b"\x1b[?25h"  # progress bars hide it


class _State:
    """State of the handlers in the process that installed them.

    Attributes:
        owner: Process id; 0 while no handler is installed.
        flag: Byte in shared memory, which forked loader workers read: 1 after a signal.
        since: Time of the first signal; None before.
        deferrals: Number of entered `deferred` blocks.
        grace_seconds: Grace period of the entered blocks.
        one_result: Whether the command is done when a result is stored, but for its printing.
        code: Exit code of a command that is done; None before.
        cleanups: Functions of the entered `cleaned_up` blocks.
    """

    def __init__(self, owner: int, grace_seconds: float = GRACE_SECONDS) -> None:
        self.owner = owner
        self.flag = mmap.mmap(-1, 1)
        self.since: float | None = None
        self.deferrals = 0
        self.grace_seconds = grace_seconds
        self.one_result = False
        self.code: int | None = None
        self.cleanups: list[Callable[[], None]] = []


_state = _State(0)


def install(grace_seconds: float = GRACE_SECONDS) -> None:
    """Installs the handlers of a command, until the process ends.

    A signal that is ignored stays ignored, as under `nohup`.

    Args:
        grace_seconds: Shortest grace period in seconds.
    """
    global _state
    _state = _State(os.getpid(), grace_seconds)
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)
    # Called last: Python's own exit resets all other handlers to the default, which would end the
    # process with the signal's code.
    atexit.register(_ignore, _state)


def finish(code: int) -> None:
    """Fixes the exit code of the command: its work is done, and a late signal cannot change it."""
    if _state.owner == os.getpid():
        _state.code = code


def expect_one_result() -> None:
    """Declares that the command only prints after the next call of `result_stored`."""
    _state.one_result = True


def result_stored() -> None:
    """Fixes the exit code 0 of a command for one result; a late signal leaves it to print it."""
    if _state.one_result:
        finish(0)


def requested() -> bool:
    """Returns whether a signal has interrupted this process, or the process that forked it."""
    return _state.flag[0] != 0 and _state.code is None


def check() -> None:
    """Raises an error if the process was interrupted; costs a read of one byte.

    Raises:
        Interrupted: A signal has arrived.
    """
    if _state.flag[0] and requested():
        raise Interrupted("interrupted", hint=_HINT)


@contextmanager
def deferred(grace_seconds: float = GRACE_SECONDS) -> Iterator[None]:
    """Lets a block complete what it writes: a signal sets the flag that `check` reads.

    Args:
        grace_seconds: Longest time in seconds that the block needs after a signal.

    Raises:
        Interrupted: A signal arrived before the outermost block, or in it without a check. The
            blocks in it complete what they write.
    """
    state, earlier = _state, _state.grace_seconds
    if not state.deferrals:
        check()
    state.grace_seconds = max(earlier, grace_seconds)
    state.deferrals += 1
    try:
        yield
    finally:
        state.deferrals -= 1
        state.grace_seconds = earlier
    if not state.deferrals:
        check()


@contextmanager
def cleaned_up(clean: Callable[[], None]) -> Iterator[None]:
    """Calls a function at the end of a block, also where a signal ends the process in it.

    Args:
        clean: Function that takes little time, and may be called twice: a signal may arrive in it.
    """
    cleanups = _state.cleanups
    cleanups.append(clean)
    try:
        yield
    finally:
        try:
            clean()
        finally:
            cleanups.remove(clean)


@contextmanager
def named(hint: str = _HINT) -> Iterator[None]:
    """Converts every error that follows from an interruption.

    Args:
        hint: Hint of the error.

    Raises:
        Interrupted: A signal has arrived, whatever error the block raised; or other code raised a
            KeyboardInterrupt.
    """
    try:
        yield
    except Interrupted:
        raise
    except BaseException as error:
        if requested() or isinstance(error, KeyboardInterrupt):
            raise Interrupted("interrupted", hint=hint) from error
        raise


def requested_late() -> bool:
    """Returns whether an error may follow from an interruption, and waits for a late signal.

    A signal to all processes of a job may reach a loader worker, whose end is an error, before it
    reaches this process.
    """
    if _state.owner == os.getpid():
        until = time.monotonic() + LATE_SECONDS
        while not requested() and time.monotonic() < until:
            time.sleep(LATE_SECONDS / 50)
    return requested()


@contextmanager
def caught() -> Iterator[None]:
    """Catches signals during a function of the Python API, where the process is the user's.

    Only default handlers are replaced, only in the main thread, and only until the first signal: a
    second Ctrl-C is Python's own KeyboardInterrupt.

    Raises:
        Interrupted: A signal has arrived.
    """
    global _state
    import threading

    defaults = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    if _state.owner == os.getpid() or threading.current_thread() is not threading.main_thread():
        yield
        return
    replaced = {n: old for n, old in defaults.items() if signal.getsignal(n) is old}
    before, _state = _state, _State(os.getpid())

    def restore() -> None:
        for number, old in replaced.items():
            signal.signal(number, old)

    def on_signal(number: int, frame: object) -> None:
        if os.getpid() != _state.owner:
            _on_signal_in_child(number)
        else:
            _state.flag[0] = 1
            restore()

    for number in replaced:
        signal.signal(number, on_signal)
    try:
        with named():
            yield
            check()
    finally:
        restore()
        _state = before


def end_now() -> NoReturn:
    """Ends the process and the processes that it has started, without Python's own exit."""
    if _state.code is None:
        shown = f"error: interrupted\nhint: {_HINT}\n".encode()
        with suppress(OSError):  # closed
            os.write(2, (_SHOW_CURSOR + b"\r\n" if os.isatty(2) else b"") + shown)
    try:
        for clean in _state.cleanups:
            clean()
        _kill_descendants()
    finally:
        os._exit(Interrupted.exit_code if _state.code is None else _state.code)


def _on_signal(number: int, frame: object) -> None:
    if os.getpid() != _state.owner:
        _on_signal_in_child(number)
        return
    now, since = time.monotonic(), _state.since
    again = since is not None and (number != signal.SIGTERM or now > since + REPEAT_SECONDS)
    _state.flag[0] = 1
    if again or (_state.code is None and not _state.deferrals):
        end_now()
    if since is not None:
        return
    _state.since = now
    # Not a `threading.Thread`: its locks may be held where the signal arrived.
    _thread.start_new_thread(_end_after_grace, (_state,))


def _end_after_grace(state: _State) -> None:
    """Ends the process if it does not end itself within the grace period."""
    began = time.monotonic()
    while time.monotonic() < began + state.grace_seconds:
        time.sleep(0.1)
    end_now()


def _on_signal_in_child(number: int) -> None:
    """Handles a signal that arrives in a forked process before `_reset_in_child`."""
    if number == signal.SIGTERM:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _reset_in_child() -> None:
    """Gives a forked process handlers that suit a loader worker.

    SIGTERM ends it. SIGINT, which a terminal sends to all processes, is left to the parent.
    """
    if _state.owner:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)


@contextmanager
def silent_children() -> Iterator[None]:
    """Starts processes, in the block, that do not receive a terminal's SIGINT.

    A new Python process prints a traceback for a SIGINT before it can handle the signal.
    """
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _ignore(state: _State) -> None:
    """Ignores late signals from here to the end of the process that installed the handlers."""
    if state is _state and state.owner == os.getpid():
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def _kill_descendants() -> None:
    """Kills the processes that this one has started, and those that they have started.

    Processes that ignore SIGTERM are left: they end by themselves when their parent has ended, as
    the resource tracker of `multiprocessing` does. Elsewhere than on Linux, all of them do.
    """
    if sys.platform != "linux":
        return
    stopped: set[int] = set()
    while found := set(_descendants(os.getpid())) - stopped:
        for pid in found:  # a stopped process starts no other
            _send(pid, signal.SIGSTOP)
        stopped |= found
    for pid in stopped:
        _send(pid, signal.SIGKILL)


def _descendants(root: int) -> Iterator[int]:
    """Yields the ids of all processes below a process that do not ignore SIGTERM."""
    parents, ignoring = {}, set()
    for name in os.listdir("/proc"):  # noqa: PTH208  # in a signal handler: no further imports
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/status") as file:  # noqa: PTH123
                fields = dict(line.split(":", 1) for line in file if ":" in line)
        except OSError:  # it has ended
            continue
        pid = int(name)
        parents[pid] = int(fields["PPid"])
        if int(fields["SigIgn"], 16) >> (signal.SIGTERM - 1) & 1:
            ignoring.add(pid)
    for pid in parents:
        above = parents[pid]
        while above in parents and above != root:
            above = parents[above]
        if above == root and pid not in ignoring:
            yield pid


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(OSError):  # it has ended
        os.kill(pid, number)
