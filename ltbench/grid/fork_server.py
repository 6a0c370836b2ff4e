"""Fork server: one process that imports what the runs of a grid need, and forks a worker a run.

A new Python process spends 5 to 8 seconds on imports before a run starts; a forked one has them.
`ltbench.grid.fork_server_process` is the server's own side.

The fork server of `multiprocessing` does not serve here: all users of a process share it with one
environment, it ends when a preloaded module raises anything but an ImportError, and every child
runs the main script again.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ltbench.io.process import python_command
from ltbench.jobs import ForkedProcess, ForkServer

SHUTDOWN_SECONDS = 10.0  # from closing the channel until the server is killed
MAX_MESSAGE_BYTES = 1 << 17  # every socket accepts at least that many by default
MAX_SHOWN_OUTPUT_CHARACTERS = 400


def fork_server_factory(
    libraries: Sequence[str],
) -> Callable[[Mapping[str, str]], ForkServer] | None:
    """Returns the function that starts a fork server; None where forking does not work.

    Args:
        libraries: Names of the modules to import.
    """
    if sys.platform != "linux":  # system libraries of macOS do not survive a fork
        return None
    return lambda environment: LinuxForkServer(libraries, environment)


class LinuxForkServer:
    """Fork server in a process of its own: see `ltbench.jobs.ForkServer`.

    It starts to import at once, and forks the processes that are requested meanwhile as soon as the
    imports are done. It has one thread and initialises no device.

    Args:
        libraries: Names of the modules to import; a module that cannot be imported is left to the
            run that needs it, which reports the error.
        environment: Variables that are added to the environment of the server and of its processes.
            Variables that libraries read when they are imported, such as OMP_NUM_THREADS, take
            effect only here.

    Raises:
        OSError: The process cannot be started.
    """

    def __init__(self, libraries: Sequence[str], environment: Mapping[str, str]) -> None:
        self.ready = False
        self.end_reason = ""
        self._processes: dict[int, ForkedProcess] = {}
        self._count = 0
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        self._channel, remote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        module = "ltbench.grid.fork_server_process"
        try:
            with remote:
                self._server = subprocess.Popen(
                    [*python_command(module), str(remote.fileno()), *libraries],
                    stdin=subprocess.DEVNULL,
                    stdout=self._output,
                    stderr=self._output,
                    env={**os.environ, **environment},
                    pass_fds=[remote.fileno()],
                    start_new_session=True,  # Ctrl-C reaches this process alone
                )
        except OSError:
            self._channel.close()
            self._output.close()
            raise

    def start(
        self, request: str, environment: Mapping[str, str], stdin: int, output: int
    ) -> ForkedProcess:
        """Requests a process.

        Raises:
            OSError: The server has ended, or the request is too long.
        """
        if self.end_reason:
            raise OSError(self.end_reason)
        process = ForkedProcess(self._count)
        message = {"number": process.number, "request": request, "environment": {**environment}}
        packet = json.dumps(message).encode()
        if len(packet) > MAX_MESSAGE_BYTES:
            raise OSError(
                f"the request is too long: expected at most {MAX_MESSAGE_BYTES:,} bytes, got "
                f"{len(packet):,}"
            )
        socket.send_fds(self._channel, [packet], [stdin, output])
        self._processes[process.number] = process
        self._count += 1
        return process

    def wait(self, seconds: float) -> None:
        """Waits for a change of a process, and updates the processes."""
        if self.end_reason:
            time.sleep(seconds)
            return
        while not self.end_reason and select.select([self._channel], [], [], seconds)[0]:
            try:
                packet = self._channel.recv(MAX_MESSAGE_BYTES)
            except ConnectionError:
                packet = b""
            if packet:
                self._update(json.loads(packet))
            else:
                self._shut_down(self._exit_message())
            seconds = 0.0

    def kill(self, process: ForkedProcess) -> None:
        """Kills a process and its children, and returns when it has ended."""
        if not process.ended and not self.end_reason:
            with suppress(OSError):
                self._channel.send(json.dumps({"kill": process.number}).encode())
        while not process.ended:
            self.wait(1.0)

    def close(self) -> None:
        """Ends the server; requests that wait for imports are dropped."""
        if not self.end_reason:
            if not self.ready:
                self._server.kill()
            self._shut_down("it was closed")

    def _update(self, message: Mapping[str, Any]) -> None:
        if message.get("ready"):
            self.ready = True
            return
        process = self._processes[message["number"]]
        process.pid = message.get("pid", process.pid)
        if "code" in message:
            process.code, process.error = message["code"], message.get("error", "")
            process.ended = True
            del self._processes[process.number]

    def _exit_message(self) -> str:
        code = self._server.wait()
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - MAX_SHOWN_OUTPUT_CHARACTERS))
        output = " ".join(self._output.read().decode(errors="replace").split())
        return f"the fork server has ended ({code}){': ' if output else ''}{output}"

    def _shut_down(self, reason: str) -> None:
        self.end_reason = reason
        self._channel.close()  # the server ends when its processes have ended
        try:
            self._server.wait(SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        finally:
            self._output.close()
            for process in self._processes.values():
                process.ended, process.lost, process.error = True, True, reason
            self._processes.clear()
