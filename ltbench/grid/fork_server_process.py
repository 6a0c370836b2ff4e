"""Process of the fork server: `python -m ltbench.grid.fork_server_process SOCKET LIBRARY...`.

Requests and replies are packets of JSON; `ltbench.grid.fork_server` is the other side. The process
starts no thread, runs no parallel loop and initialises no device: their state does not survive a
fork.
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
from ltbench.grid.fork_server import MAX_MESSAGE_BYTES
from ltbench.grid.worker import EXIT_SECONDS, STOP_ON_EOF
from ltbench.io import interrupts
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry

RUN_END_SECONDS = 30.0  # from the end of the parent until remaining runs are killed

_OF_EVERY_RUN = (
    "ltbench.engine.run",
    "ltbench.analysis.stats.accuracy_interval",
    "scipy.special",  # which computes intervals
    "pyarrow.parquet",
    "pandas",  # which pyarrow imports with its first array of paths
)


class _Server:
    """Forks requested processes and reports how they end.

    Args:
        channel: Socket to the parent.
    """

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._children: dict[int, int] = {}  # number of the request by pid
        self._kill_time: float | None = None  # set when the parent has ended
        self._signals, self._signal_writer = socket.socketpair()
        self._signal_writer.setblocking(False)
        self._signals.setblocking(False)

    def serve(self) -> str | None:
        """Serves requests until the parent and all children have ended.

        Returns:
            The request, in each child; None, in the server.
        """
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # wakes `select`
        signal.set_wakeup_fd(self._signal_writer.fileno())
        self._send({"ready": True})
        while self._kill_time is None or self._children:
            parent = [self._channel] if self._kill_time is None else []
            readable, _, _ = select.select([self._signals, *parent], [], [], self._timeout())
            if self._signals in readable:
                self._signals.recv(4096)
                self._reap()
            if self._channel in readable and (request := self._handle()) is not None:
                return request
            if self._kill_time is not None and time.monotonic() > self._kill_time:
                for pid in self._children:
                    _kill(pid)
        return None

    def _timeout(self) -> float | None:
        return None if self._kill_time is None else max(0.1, self._kill_time - time.monotonic())

    def _send(self, message: Mapping[str, Any]) -> None:
        with suppress(ConnectionError):  # the parent has ended: the next read detects it
            self._channel.send(json.dumps(message).encode())

    def _handle(self) -> str | None:
        """Handles one message of the parent; returns the request in a new child."""
        try:
            packet, descriptors, _, _ = socket.recv_fds(self._channel, MAX_MESSAGE_BYTES, 2)
        except ConnectionError:
            packet, descriptors = b"", []
        if not packet:
            self._kill_time = time.monotonic() + RUN_END_SECONDS
            return None
        message = json.loads(packet)
        if "kill" in message:
            for pid in [pid for pid, number in self._children.items() if number == message["kill"]]:
                _kill(pid)
            return None
        try:
            with warnings.catch_warnings():  # the threads of memory allocators survive a fork
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
        except OSError as error:
            reason = f"no process can be forked: {error.strerror}"
            self._send({"number": message["number"], "code": None, "error": reason})
            pid = -1
        if pid == 0:
            self._set_up_child(message["environment"], *descriptors)
            return str(message["request"])
        for descriptor in descriptors:
            os.close(descriptor)
        if pid > 0:
            self._children[pid] = message["number"]
            self._send({"number": message["number"], "pid": pid})
        return None

    def _set_up_child(self, environment: Mapping[str, str], stdin: int, output: int) -> None:
        """Gives a new child its own session, signals, streams and environment."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        for own in (self._channel, self._signals, self._signal_writer):
            own.close()
        os.dup2(stdin, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(stdin)
        os.close(output)
        os.environ.update(environment)

    def _reap(self) -> None:
        """Reports the children that have ended."""
        while self._children:
            # Its pid is not given to another process before `waitpid`.
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return
            if ended.si_status:
                _kill(ended.si_pid)  # its remaining loader workers
            _, status = os.waitpid(ended.si_pid, 0)
            number = self._children.pop(ended.si_pid, None)
            if number is not None:
                self._send({"number": number, "code": os.waitstatus_to_exitcode(status)})


def _kill(pid: int) -> None:
    """Kills a child and the processes that it has started."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:  # it has just been forked, and has no group of its own yet
        os.kill(pid, signal.SIGKILL)


def _import(libraries: Sequence[str]) -> None:
    for name in libraries:
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:  # a library may raise anything
            print(f"{name} was not imported: {error!r}", file=sys.stderr)  # noqa: T201


def _run(request: str, registry: Registry) -> NoReturn:
    """Runs a request in a child process, and ends the process."""
    code = 1
    try:
        interrupts.install(EXIT_SECONDS)
        code = worker.main([request, STOP_ON_EOF], registry)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    # Python's own exit would also clear all modules, which copies every memory page that the child
    # shares with the server, and takes half a second.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main(arguments: Sequence[str]) -> int:
    """Imports the libraries, then serves requests until the parent has ended."""
    channel = socket.socket(fileno=int(arguments[0]))
    channel.set_inheritable(False)
    # Of a signal to all processes of a job: the parent stops the runs, and closes the channel.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    gc.disable()  # collections would take a fifth of the time of the imports
    for name in _OF_EVERY_RUN:
        importlib.import_module(name)
    _import(arguments[1:])
    registry = load_plugins()
    for components in registry.components.values():
        list(components.values())  # imports them, for all children
    if threading.active_count() > 1:
        names = ", ".join(thread.name for thread in threading.enumerate()[1:])
        print(f"a library has started threads: {names}", file=sys.stderr)  # noqa: T201
        return 1
    gc.freeze()  # a collection in a child would write to, and thus copy, shared memory pages
    gc.enable()
    request = _Server(channel).serve()
    if request is not None:
        _run(request, registry)
    return 0


if __name__ == "__main__":
    faulthandler.enable()  # a crash in a library prints its traceback
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # Python's own exit takes half a second
