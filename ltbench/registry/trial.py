"""Trial of a plugin in a process of its own, before a command imports it for the first time."""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from typing import Any
from uuid import uuid4

from ltbench.registry.inspect_source import at, source_of
from ltbench.registry.marked_processes import environment, kill_marked, marked
from ltbench.registry.stamp import files_of

LIMIT_SECONDS = 60.0
"""Time in which a plugin has to be loaded; importing torch takes many seconds on a busy machine."""

EXIT_SECONDS = 10.0
"""Time in which the process has to end after that."""

LINGER_SECONDS = 2.0
"""Time in which the processes that it started have to end after that."""

REMARK_SECONDS = 2.0
"""Time after which the user learns why the command waits."""

_STEP_SECONDS = 0.02
_KEPT_BYTES = 20_000
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from ltbench.registry.trial_process import main; main(sys.argv[1])"
)
_FORKS = "its import forks the process, and both would execute the command"


def fault_of(point: EntryPoint) -> str:
    """Returns what a plugin does to the process that loads it; empty where it does no harm."""
    token = uuid4().hex
    report, report_writer = os.pipe()
    output, output_writer = os.pipe()
    request = {
        "name": point.name,
        "value": point.value,
        "report": report_writer,
        "seconds": LIMIT_SECONDS,
    }
    path = [os.path.abspath(folder) for folder in sys.path]  # noqa: PTH100 - "" is the present one
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, json.dumps(request), json.dumps(path)],
            stdin=subprocess.DEVNULL,
            stdout=output_writer,
            stderr=output_writer,
            pass_fds=(report_writer,),
            start_new_session=True,
            env=environment(token),
        )
    finally:
        os.close(report_writer)
        os.close(output_writer)
    trial = _Trial(process, report, output)
    try:
        fault = trial.fault(point.name) or trial.remains(token)
    finally:  # also where the command is interrupted
        kill_marked(token)
        process.wait()
        os.close(report)
        os.close(output)
    return f"{fault}{at(_place(point, trial.printed))}" if fault else ""


@dataclass
class _Trial:
    """Process of a trial, and what it sends.

    Args:
        process: The process.
        report: Descriptor of its report.
        output: Descriptor of its output.
    """

    process: subprocess.Popen[bytes]
    report: int
    output: int
    reported: bytes = b""
    printed: bytes = b""
    finished: set[int] = field(default_factory=set)

    def fault(self, name: str) -> str:
        """Waits for the process; returns what is wrong with it, or an empty string."""
        if not self._wait(REMARK_SECONDS, self._answered):
            print(f"trying plugin {name} in a process of its own ...", file=sys.stderr)  # noqa: T201
            if not self._wait(LIMIT_SECONDS - REMARK_SECONDS, self._answered):
                self._dump()
                return f"it was not loaded within {LIMIT_SECONDS:.0f} s"
        ended = self._wait(EXIT_SECONDS, lambda: self.process.poll() is not None)
        messages = self._messages()
        if any("forked" in message for message in messages):
            return _FORKS
        if not messages:
            return f"loading it {_ending(self.process.poll())}"
        if not ended:
            self._dump()
            threads = messages[0].get("threads")
            running = f" (thread {', '.join(map(str, threads))})" if threads else ""
            return f"it keeps the process from ending{running}"
        if self.process.returncode:
            return f"after it was loaded, it {_ending(self.process.returncode)}"
        return "it closes files that it did not open" if messages[0].get("closed") else ""

    def remains(self, token: str) -> str:
        """Returns what the process has left behind, or an empty string."""
        # A fork holds the pipe of the report; any other child has the token.
        gone = self._wait(
            LINGER_SECONDS, lambda: self.report in self.finished and not marked(token)
        )
        if any("forked" in message for message in self._messages()):
            return _FORKS
        return "" if gone else "it leaves a process running"

    def _answered(self) -> bool:
        return b"\n" in self.reported or self.process.poll() is not None

    def _wait(self, seconds: float, done: Callable[[], bool]) -> bool:
        """Reads until a condition holds or the time is over; returns whether it holds."""
        limit = time.monotonic() + seconds
        while not done():
            if time.monotonic() > limit:
                return False
            self._read(_STEP_SECONDS)
        self._read(0)
        return True

    def _read(self, seconds: float) -> None:
        """Reads what the process has sent; waits for it if there is nothing yet."""
        with selectors.DefaultSelector() as selector:
            for pipe in {self.report, self.output} - self.finished:
                selector.register(pipe, selectors.EVENT_READ)
            if not selector.get_map():
                time.sleep(seconds)
                return
            for key, _ in selector.select(seconds):
                received = os.read(key.fd, _KEPT_BYTES)
                if not received:
                    self.finished.add(key.fd)
                elif key.fd == self.report:
                    self.reported = (self.reported + received)[-_KEPT_BYTES:]
                else:
                    self.printed = (self.printed + received)[-_KEPT_BYTES:]

    def _dump(self) -> None:
        """Makes the process print where it is, and die."""
        self.process.send_signal(signal.SIGABRT)
        self._wait(1.0, lambda: self.process.poll() is not None)
        self._read(0)

    def _messages(self) -> list[dict[str, Any]]:
        """Returns the messages of the report; none but those that a trial sends."""
        found = []
        for line in self.reported.splitlines():
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if isinstance(message, dict):
                found.append(message)
        return found


def _ending(code: int | None) -> str:
    """Returns how a process has ended, as a predicate."""
    if code is None:
        return "closes the report of its trial"
    if code >= 0:
        return f"ended the process with exit code {code}"
    try:
        return f"killed the process ({signal.Signals(-code).name})"
    except ValueError:
        return f"killed the process (signal {-code})"


def _place(point: EntryPoint, printed: bytes) -> str:
    """Returns "file:line" of the plugin's last line in a dumped traceback, or its file."""
    own = {path for path, _, _ in files_of(point)}
    for path, line in re.findall(r'File "([^"\n]+)", line (\d+)', printed.decode(errors="replace")):
        if path in own:
            return f"{path}:{line}"
    return str(source_of(point.module) or "")
