"""Function that runs a command in a worker process of Ray.

Ray gets the function by value, so that its workers need no installed ltbench: the code of this
module uses the standard library only.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

POLL_SECONDS = 0.2  # an exception that Ray raises in this thread waits for a step of Python
EXIT_SECONDS = 25.0  # from the interruption of a process until it is killed
MAX_SHOWN_BYTES = 400


def run_task(
    command: Sequence[str], folder: str, environment: Mapping[str, str], log: str
) -> Iterator[str | tuple[int, str]]:
    """Yields the name of this machine at once, and then what `run_command` returns."""
    yield socket.gethostname()
    yield run_command(command, folder, environment, log)


def run_command(
    command: Sequence[str], folder: str, environment: Mapping[str, str], log: str
) -> tuple[int, str]:
    """Runs a command that does not outlive this process, and returns its exit code and last output.

    A KeyboardInterrupt, as which Ray cancels a task, interrupts the command.

    Args:
        command: The command; it ends when its standard input is closed.
        folder: Working directory.
        environment: Variables that are added to the environment.
        log: File that the output is appended to; its folder exists where this machine sees it.

    Raises:
        OSError: The log cannot be written, or the command cannot be started.
    """
    path = Path(log)
    if path.is_symlink():  # to the output of a job in a queue
        path.unlink()
    with path.open("ab") as output, _interruptible():
        start = output.tell()
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=folder,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        try:
            _wait(process)
        except KeyboardInterrupt:
            _end(process)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # includes its loader workers
            code = process.wait()
            if process.stdin is not None:
                process.stdin.close()
    with path.open("rb") as written:
        size = written.seek(0, os.SEEK_END)
        written.seek(max(start, size - MAX_SHOWN_BYTES))
        shown = " ".join(written.read().decode(errors="replace").split())
    if not size:
        path.unlink()
    return code, shown


def _wait(process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=POLL_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupts a process, and returns when it has ended, or has not ended in time."""
    if process.stdin is not None:
        process.stdin.close()
    with suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
        process.wait(timeout=EXIT_SECONDS)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Lets Ray raise a KeyboardInterrupt in this process.

    It does so with the handler of SIGINT. A cluster that was started in the background of a shell
    ignores SIGINT, and its tasks could not be cancelled.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
