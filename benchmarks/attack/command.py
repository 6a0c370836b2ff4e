"""Commands under attack: forked from a process that has the imports, or started anew."""

from __future__ import annotations

import gc
import multiprocessing
import os
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, NoReturn

from benchmarks.attack.attack import Finding

LONGEST_MESSAGE = 2_000  # characters of an error that a person reads
EXIT_CODES = (0, 1, 2, 3, 4)
TIMED_OUT = -1000
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Outcome:
    """Outcome of a command.

    Args:
        arguments: The command without `ltbench`.
        code: Exit code; negative for the signal that ended it; `TIMED_OUT`.
        out: Standard output.
        err: Standard error.
        seconds: Duration in seconds.
        cpu_seconds: Processor time in seconds.
        peak_mb: Peak resident memory in MB, with that of the imports.
    """

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float
    cpu_seconds: float
    peak_mb: float

    def finding(self, promise: str) -> Finding:
        """Returns the finding that this outcome breaks a promise.

        Args:
            promise: Expected behaviour.
        """
        given = " ".join(self.arguments)
        said = f"exit code {self.code}\nstdout: {self.out[-1_500:]!r}\nstderr: {self.err[-3_000:]}"
        lines = f"{promise}\nltbench {given}\n{said}".splitlines()
        return Finding("\n".join(_shortened(line) for line in lines))


def _shortened(line: str) -> str:
    return line if len(line) < 300 else f"{line[:200]} ... {line[-80:]}"


def graceful(outcome: Outcome, *, codes: Sequence[int] = EXIT_CODES) -> Outcome:
    """Returns an outcome after checking that a person can act on it.

    Raises:
        Finding: It has a traceback, an unknown exit code, an error without its line, a control
            character, or a message that is too long; or it timed out.
    """
    if outcome.code == TIMED_OUT:
        raise outcome.finding(f"ends within {outcome.seconds:.0f} s")
    if "Traceback" in outcome.err or "Traceback" in outcome.out:
        raise outcome.finding("no traceback")
    if outcome.code not in codes:
        raise outcome.finding(f"an exit code of {', '.join(map(str, codes))}")
    if outcome.code and "error:" not in outcome.err:
        raise outcome.finding("an error has its line")
    if outcome.code and len(outcome.err) > LONGEST_MESSAGE:
        raise outcome.finding(f"at most {LONGEST_MESSAGE:,} characters of errors")
    if _CONTROL.search(outcome.out + outcome.err):
        raise outcome.finding("no control characters")
    return outcome


def ltbench(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    seconds: float = 60,
    memory_mb: int | None = None,
    user: int | None = None,
) -> Outcome:
    """Runs a command in a fork of this process, which saves the seconds of its imports.

    Args:
        arguments: The command without `ltbench`.
        cwd: Working folder.
        env: Variables on top of this process's.
        stdin: Standard input.
        seconds: Time limit; the command and its children are killed after it.
        memory_mb: Limit of the memory on top of that of the imports, in MB.
        user: User id that the command changes to; this needs root.
    """
    _import_once()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with tempfile.TemporaryFile() as given:
            given.write(stdin.encode())
            given.seek(0)
            start = time.perf_counter()
            child = os.fork()
            if not child:
                _be_command(arguments, cwd, env or {}, (given, out, err), memory_mb, user)
        status, usage = _wait(child, seconds)
        code = TIMED_OUT if status is None else os.waitstatus_to_exitcode(status)
        duration = time.perf_counter() - start
        shown, said = _text(out), _text(err)
    cpu = usage.ru_utime + usage.ru_stime
    return Outcome(arguments, code, shown, said, duration, cpu, usage.ru_maxrss / 1024)


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
    memory_mb: int | None,
    user: int | None,
) -> NoReturn:
    """Turns a forked child into the command; never returns."""
    code = 70  # EX_SOFTWARE: the attack itself is at fault
    try:
        os.setsid()
        for number, stream in enumerate(streams):
            os.dup2(stream.fileno(), number)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler if number == 2 else signal.SIG_DFL)
        if memory_mb is not None:
            limit = _data_bytes() + memory_mb * 2**20
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        multiprocessing.set_start_method("fork", force=True)  # that of a new interpreter
        os.chdir(cwd)
        os.environ.update(environment(cwd) | dict(env))
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, "r" if not n else "w") for n in range(3))
        sys.argv = ["ltbench", *arguments]
        code = _exit_code()
    finally:
        os._exit(code)


def _exit_code() -> int:
    """Runs the command of `sys.argv` and returns its exit code, as the interpreter would."""
    from ltbench.cli import main

    try:
        main()
        code: object = 0
    except SystemExit as error:
        code = error.code
    except BaseException:  # the interpreter would print it
        traceback.print_exc()
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


def _wait(child: int, seconds: float) -> tuple[int | None, resource.struct_rusage]:
    """Waits for a child and kills its session; returns its status, None where time was over."""
    descriptor = os.pidfd_open(child)
    try:
        ready, _, _ = select.select([descriptor], [], [], seconds)
    finally:
        os.close(descriptor)
    try:
        if ready:
            os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # keeps its id from reuse
        os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # none of its children is left
    _, status, usage = os.wait4(child, 0)
    return (status if ready else None), usage


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
