"""Commands under attack: forked from a process that has the imports, or started anew."""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import multiprocessing.util
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, NoReturn

from benchmarks.attack.outcome import TIMED_OUT, Outcome


def ltbench(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    seconds: float = 60,
    memory_mb: int | None = None,
) -> Outcome:
    """Runs a command in a fork of this process, which saves the seconds of its imports.

    Args:
        arguments: The command without `ltbench`.
        cwd: Working folder.
        env: Variables on top of this process's.
        stdin: Standard input.
        seconds: Time limit; the command and its children are killed after it.
        memory_mb: Limit of the memory on top of that of the imports, in MB.
    """

    def limit_memory() -> None:
        if memory_mb is not None:
            limit = _data_bytes() + memory_mb * 2**20
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    command = ForkedCommand(arguments, cwd, env, stdin, limit_memory)
    try:
        return command.outcome(seconds)
    finally:
        command.kill_session()


class ForkedCommand:
    """Command in a fork of this process, which has the imports, in a session of its own.

    Args:
        arguments: The command without `ltbench`.
        cwd: Working folder.
        env: Variables on top of this process's.
        stdin: Standard input.
        first: Function that the fork calls before the command.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        cwd: Path,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        first: Callable[[], None] = lambda: None,
    ) -> None:
        _import_once()
        self.arguments = tuple(arguments)
        self._out = tempfile.TemporaryFile()  # noqa: SIM115
        self._err = tempfile.TemporaryFile()  # noqa: SIM115
        self._start = time.perf_counter()
        with tempfile.TemporaryFile() as given:
            given.write(stdin.encode())
            given.seek(0)
            self.pid = os.fork()
            if not self.pid:
                _be_command(arguments, cwd, env or {}, (given, self._out, self._err), first)

    def outcome(self, seconds: float) -> Outcome:
        """Waits for the end of the command, and kills it where the time is over.

        Args:
            seconds: Time limit from its start.
        """
        descriptor = os.pidfd_open(self.pid)
        try:
            left = max(0.0, self._start + seconds - time.perf_counter())
            ended, _, _ = select.select([descriptor], [], [], left)
        finally:
            os.close(descriptor)
        if not ended:
            self.kill_session()
        _, status, usage = os.wait4(self.pid, 0)
        duration = time.perf_counter() - self._start
        code = os.waitstatus_to_exitcode(status) if ended else TIMED_OUT
        with self._out, self._err:
            out, err = _text(self._out), _text(self._err)
        cpu = usage.ru_utime + usage.ru_stime
        return Outcome(self.arguments, code, out, err, duration, cpu, usage.ru_maxrss / 1024)

    def kill_session(self) -> None:
        """Kills what is left of the command and of the processes that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def ltbench_process(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    before: Sequence[str] = ("-m", "ltbench"),
) -> subprocess.Popen[str]:
    """Starts a command in a new interpreter and a session of its own.

    Args:
        arguments: The command without `ltbench`.
        cwd: Working folder.
        env: Variables on top of this process's.
        before: Arguments of the interpreter, up to those of the command.
    """
    return subprocess.Popen(
        [sys.executable, *before, *arguments],
        cwd=cwd,
        env={**os.environ, **environment(cwd), **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def environment(cwd: Path) -> dict[str, str]:
    """Returns the variables of every command: a home of its own, one thread, a fixed width."""
    home = str(cwd)
    threads = {"OMP_NUM_THREADS": "1", "COLUMNS": "100"}
    return {"HOME": home, "XDG_CACHE_HOME": f"{home}/.cache", **threads}


@cache
def _import_once() -> None:
    """Imports what commands import, so that their forks need not."""
    import matplotlib.figure  # noqa: F401
    import open_clip  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import scipy.stats  # noqa: F401
    import torch

    import ltbench.cli.app
    import ltbench.engine.run
    import ltbench.report.build  # noqa: F401
    from ltbench.registry.load import load_plugins

    torch.set_num_threads(1)  # a fork has none of its parent's threads
    load_plugins()
    gc.freeze()


def _be_command(
    arguments: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    streams: Sequence[IO[bytes]],
    first: Callable[[], None],
) -> NoReturn:
    """Turns a forked child into the command, with Python's own exit; never returns."""
    code = 70  # EX_SOFTWARE: the attack itself is at fault
    try:
        os.setsid()
        atexit._clear()
        atexit.register(multiprocessing.util._exit_function)  # type: ignore[attr-defined]
        for number, stream in enumerate(streams):
            os.dup2(stream.fileno(), number)
        multiprocessing.set_start_method("fork", force=True)  # that of a new interpreter
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.chdir(cwd)
        os.environ.update(environment(cwd) | dict(env))
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, "w" if n else "r") for n in range(3))
        sys.argv = ["ltbench", *arguments]
        first()
        code = _exit_code()
        atexit._run_exitfuncs()
    finally:
        os._exit(code)


def _exit_code() -> int:
    """Runs the command of `sys.argv` and returns its exit code, as the interpreter would."""
    from ltbench.cli import main

    code: object = 0
    try:
        main()
    except SystemExit as error:
        code = error.code
    except BaseException:  # the interpreter would print it
        sys.excepthook(*sys.exc_info())
        code = 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = 120  # that of the interpreter
    return code if isinstance(code, int) else int(code is not None)


def _data_bytes() -> int:
    """Returns the size of this process's private writable memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
