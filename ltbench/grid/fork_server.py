"""A fork server for executors: one process imports what the runs of a grid need, and forks them.

A fresh Python spends 5 to 8 seconds on imports before it does anything of a run; a fork has them
done. `ltbench.grid.fork_server_process` is the server's own side.

`multiprocessing` has a fork server, too. It shares one environment, taken when it is first used,
among everybody, ends where a module that it imports raises anything but an ImportError, and runs
the main script again in every child.
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
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["ForkServer", "Forked"]

_PATIENCE = 10.0  # seconds from the wish that the server ends until it is killed
LONGEST = 1 << 17  # bytes of a message: a socket takes at least that by default


def python(module: str) -> tuple[str, ...]:
    """Returns the command that runs a module as this process would."""
    # It finds what we find, and nothing that happens to lie in the working directory.
    here = sys.path[:1] in ([""], [str(Path.cwd())])
    return (sys.executable, *(() if here else ("-P",)), "-m", module)


@dataclass
class Forked:
    """A process that a fork server was asked for; it has a session of its own.

    Args:
        server: Whom.
        number: Its place among those that the server was asked for.
        pid: None until it is forked.
        ended: Whether there is nothing of it any more, or nothing will be known of it.
        lost: Whether the server was gone before it ended.
        code: Of its exit, negative where a signal ended it; None where that is not known.
        error: Why it is not known, or could not be forked.
    """

    server: ForkServer
    number: int
    pid: int | None = None
    ended: bool = False
    lost: bool = False
    code: int | None = None
    error: str = ""

    def kill(self) -> None:
        """Kills it and what it has started, and returns when it has ended."""
        self.server.kill(self)


class ForkServer:
    """A process that imports what runs need, and forks a process for each of them.

    It begins to import at once, and forks what it was asked for meanwhile as soon as it is done.
    It has one thread and initialises no device. What it forks has a session of its own, and ends,
    so that it can be resumed, when its standard input is closed.

    Args:
        libraries: Modules to import; the run that needs one that cannot be imported will tell.
        environment: What is added to the environment, also of the processes: that is the place of
            what libraries read when they are imported, such as OMP_NUM_THREADS.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, libraries: Sequence[str], environment: Mapping[str, str]) -> None:
        self.ready = False
        """Whether it has imported everything."""
        self.gone = ""
        """Why it is not there any more: then it forks nothing, and knows of nothing."""
        self._processes: dict[int, Forked] = {}
        self._count = 0
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                self._server = subprocess.Popen(
                    [*python("ltbench.grid.fork_server_process"), str(theirs.fileno()), *libraries],
                    stdin=subprocess.DEVNULL,
                    stdout=self._said,
                    stderr=self._said,
                    env={**os.environ, **environment},
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,  # Ctrl-C is for us
                )
        except OSError:
            self._channel.close()
            self._said.close()
            raise

    @staticmethod
    def works() -> bool:
        """Returns whether processes that have imported much can be forked on this system."""
        return sys.platform == "linux"  # macOS's own libraries do not survive a fork

    def start(
        self, request: str, environment: Mapping[str, str], stdin: int, output: int
    ) -> Forked:
        """Asks for a process.

        Args:
            request: What it is to do: the `request` of an `ltbench.protocols.Job`.
            environment: What is added to its environment. Libraries have been imported: what they
                read only then does nothing here, but CUDA_VISIBLE_DEVICES does.
            stdin: Descriptor of its standard input: a pipe, whose other end nobody else has.
            output: Descriptor of its standard output and error.

        Raises:
            OSError: The server is gone, or the request is too long for it.
        """
        if self.gone:
            raise OSError(self.gone)
        process = Forked(self, self._count)
        asked = {"number": process.number, "request": request, "environment": {**environment}}
        packet = json.dumps(asked).encode()
        if len(packet) > LONGEST:
            raise OSError(f"{len(packet):,} bytes are too long for a request")
        socket.send_fds(self._channel, [packet], [stdin, output])
        self._processes[process.number] = process
        self._count += 1
        return process

    def wait(self, seconds: float) -> None:
        """Waits for news of the processes, but not longer, and writes it into them."""
        if self.gone:
            time.sleep(seconds)
            return
        while not self.gone and select.select([self._channel], [], [], seconds)[0]:
            try:
                told = self._channel.recv(LONGEST)
            except ConnectionError:
                told = b""
            if told:
                self._hear(json.loads(told))
            else:
                self._lose(self._last_words())
            seconds = 0.0

    def kill(self, process: Forked) -> None:
        """Kills a process that it has forked, and returns when that has ended."""
        if not process.ended and not self.gone:
            with suppress(OSError):
                self._channel.send(json.dumps({"kill": process.number}).encode())
        while not process.ended:
            self.wait(1.0)

    def close(self) -> None:
        """Ends the server; what it is still importing for is not begun."""
        if not self.gone:
            if not self.ready:
                self._server.kill()
            self._lose("it was closed")

    def _hear(self, told: Mapping[str, Any]) -> None:
        if told.get("ready"):
            self.ready = True
            return
        process = self._processes[told["number"]]
        process.pid = told.get("pid", process.pid)
        if "code" in told:
            process.code, process.error, process.ended = told["code"], told.get("error", ""), True
            del self._processes[process.number]

    def _last_words(self) -> str:
        code = self._server.wait()
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - 400))
        said = " ".join(self._said.read().decode(errors="replace").split())
        return f"the fork server has ended ({code}){': ' if said else ''}{said}"

    def _lose(self, reason: str) -> None:
        self.gone = reason
        self._channel.close()  # it ends when its processes have
        try:
            self._server.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        finally:
            self._said.close()
            for process in self._processes.values():
                process.ended, process.lost, process.error = True, True, reason
            self._processes.clear()
