"""The fork server's process: `python -m ltbench.grid.fork_server_process SOCKET LIBRARY...`.

Requests and answers are packets of JSON; `ltbench.grid.fork_server` is the other side. The process
starts no thread, runs no parallel loop and initialises no device: what a library keeps of these
does not survive a fork.
"""

from __future__ import annotations

import atexit
import faulthandler
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from ltbench.grid import worker
from ltbench.grid.fork_server import LONGEST
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry

_PATIENCE = 30.0  # seconds that runs have to end by themselves when the parent is gone


class _Server:
    """Forks what it is asked for, and tells what became of it.

    Args:
        channel: To the parent.
    """

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._children: dict[int, int] = {}  # number by pid
        self._until: float | None = None  # when the parent is gone: when the last are killed
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._wake.setblocking(False)

    def serve(self) -> str | None:
        """Returns in each child with its request, and in the server with None when all is over."""
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # only to be woken
        signal.set_wakeup_fd(self._woken.fileno())
        self._tell({"ready": True})
        while self._until is None or self._children:
            parent = [self._channel] if self._until is None else []
            found, _, _ = select.select([self._wake, *parent], [], [], self._left())
            if self._wake in found:
                self._wake.recv(4096)
                self._reap()
            if self._channel in found and (request := self._answer()) is not None:
                return request
            if self._until is not None and time.monotonic() > self._until:
                for pid in self._children:
                    _kill(pid)
        return None

    def _left(self) -> float | None:
        return None if self._until is None else max(0.1, self._until - time.monotonic())

    def _tell(self, told: Mapping[str, Any]) -> None:
        with suppress(ConnectionError):  # the parent is gone: that is noticed when it is read
            self._channel.send(json.dumps(told).encode())

    def _answer(self) -> str | None:
        """Does what the parent wants; returns the request in a new child."""
        try:
            packet, descriptors, _, _ = socket.recv_fds(self._channel, LONGEST, 2)
        except ConnectionError:
            packet, descriptors = b"", []
        if not packet:
            self._until = time.monotonic() + _PATIENCE
            return None
        asked = json.loads(packet)
        if "kill" in asked:
            for pid in [pid for pid, number in self._children.items() if number == asked["kill"]]:
                _kill(pid)
            return None
        try:
            with warnings.catch_warnings():  # of threads: those there are, of memory, can be forked
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
        except OSError as error:
            reason = f"no process can be forked: {error.strerror}"
            self._tell({"number": asked["number"], "code": None, "error": reason})
            pid = -1
        if pid == 0:
            self._become(asked["environment"], *descriptors)
            return str(asked["request"])
        for descriptor in descriptors:
            os.close(descriptor)
        if pid > 0:
            self._children[pid] = asked["number"]
            self._tell({"number": asked["number"], "pid": pid})
        return None

    def _become(self, environment: Mapping[str, str], stdin: int, output: int) -> None:
        """Makes the new child a process of its own."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for own in (self._channel, self._wake, self._woken):
            own.close()
        os.dup2(stdin, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(stdin)
        os.close(output)
        os.environ.update(environment)

    def _reap(self) -> None:
        """Tells of the children that have ended."""
        while self._children:
            # Until we have waited for it, nobody else is given its number.
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return
            if ended.si_status:
                _kill(ended.si_pid)  # the loader workers that it has left
            _, status = os.waitpid(ended.si_pid, 0)
            number = self._children.pop(ended.si_pid, None)
            if number is not None:
                self._tell({"number": number, "code": os.waitstatus_to_exitcode(status)})


def _kill(pid: int) -> None:
    """Kills a child, and what it has started."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:  # it has just been forked, and leads no group yet
        os.kill(pid, signal.SIGKILL)


def _import(libraries: Sequence[str]) -> None:
    for name in libraries:
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:  # a library may raise anything
            print(f"{name} was not imported: {error!r}", file=sys.stderr)  # noqa: T201


def _run(request: str, registry: Registry) -> NoReturn:
    """Runs what is asked for, in a child, and ends it."""
    code = 1
    try:
        code = worker.main([request, "--leash"], registry)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    # All of Python's end but the taking apart of all modules: that copies every page that the
    # child shares with the server, which takes half a second.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main(arguments: Sequence[str]) -> int:
    """Imports, then serves until the parent is gone."""
    channel = socket.socket(fileno=int(arguments[0]))
    channel.set_inheritable(False)
    gc.disable()  # a fifth of the imports' time goes into searches for garbage, in vain
    importlib.import_module("ltbench.engine.run")
    _import(arguments[1:])
    registry = load_plugins()
    if threading.active_count() > 1:
        names = ", ".join(thread.name for thread in threading.enumerate()[1:])
        print(f"a library has started threads: {names}", file=sys.stderr)  # noqa: T201
        return 1
    gc.freeze()  # a search in a child would write to, and thus copy, all that is shared
    gc.enable()
    request = _Server(channel).serve()
    if request is not None:
        _run(request, registry)
    return 0


if __name__ == "__main__":
    faulthandler.enable()  # a crash in a library says where
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # nothing is left to do, and Python's own end takes half a second
