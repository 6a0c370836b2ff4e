"""Executor of processes on this machine: one a GPU, or as many as the CPU and memory allow."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ltbench import ExecutorContext, ExecutorSpec, NoOptions
from ltbench.errors import ConfigError, RunError
from ltbench.jobs import Ended, ForkedProcess, ForkServer, Job
from ltbench_plugins.executors.exits import cause

POLL_SECONDS = 0.05
STOP_SECONDS = 30.0  # from the interruption of a process until it is killed
BYTES_PER_CPU_RUN = 4 * 2**30  # of memory, to choose the number of jobs
MAX_SHOWN_OUTPUT_BYTES = 400


def build(config: NoOptions, ctx: ExecutorContext) -> Local:
    """Builds the executor for the GPUs of this machine, or for its CPU cores."""
    gpus = _gpus(ctx.device)
    if gpus:
        each = [gpus[at : at + ctx.gpus] for at in range(0, len(gpus) - ctx.gpus + 1, ctx.gpus)]
        if not each:
            raise ConfigError(
                f"--gpus-per-run: expected at most {len(gpus)}, the GPUs of this machine, got "
                f"{ctx.gpus}",
                hint="use fewer, or an executor of a cluster",
            )
        slots = ctx.jobs or len(each)
        shared = [{"CUDA_VISIBLE_DEVICES": ",".join(each[n % len(each)])} for n in range(slots)]
        return Local(shared, ctx.folder / "logs", ctx.fork_server)
    if ctx.gpus > 1:
        raise ConfigError(
            f"--gpus-per-run: expected GPUs on this machine, got none of {ctx.gpus}",
            hint="leave it out, or use an executor of a cluster",
        )
    on_gpu = ctx.device.startswith("cuda")  # all runs share the named GPU
    slots = ctx.jobs or (1 if on_gpu else max(1, min(_cores(), _memory() // BYTES_PER_CPU_RUN)))
    threads = str(max(1, _cores() // slots))
    # A limit for the threads of this process holds for each of its children.
    threads = os.environ.get("OMP_NUM_THREADS", threads)
    environments = [{"OMP_NUM_THREADS": threads}] * slots
    return Local(environments, ctx.folder / "logs", ctx.fork_server)


def _gpus(device: str) -> list[str]:
    """Returns the GPUs to distribute among the slots, as CUDA_VISIBLE_DEVICES names them."""
    if device not in ("auto", "cuda") or not _has_driver():
        return []
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    return visible.split(",")[:count] if visible else [str(index) for index in range(count)]


def _has_driver() -> bool:
    """Returns whether a GPU driver is installed; counting the GPUs needs torch, and seconds."""
    try:
        ctypes.CDLL("libcuda.so.1")  # loads the driver without initialising it
    except OSError:
        return Path("/dev/kfd").exists()  # AMD's device
    return True


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@dataclass
class _Spawned:
    """A process started by a command."""

    process: subprocess.Popen[bytes]
    error: str = ""

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def code(self) -> int | None:
        return self.process.returncode

    def kill(self) -> None:
        if not self.ended:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)  # includes its loader workers
            self.process.wait()


@dataclass
class _Running:
    job: Job
    slot: int
    process: _Spawned | ForkedProcess
    stdin: IO[bytes]  # the writing end of the pipe
    output: IO[bytes]
    log: Path
    log_start: int  # where its output begins, after that of earlier jobs of the run


class Local:
    """Executor of one process a slot.

    Each process has a session of its own, so that Ctrl-C reaches the parent alone, which ends its
    children. Their standard input is a pipe, which closes when the parent ends for any reason. Jobs
    with a request are forked by a fork server where one can be started.

    Args:
        environments: Variables that each slot adds to the environment of its processes.
        logs: Folder with an output for each job that prints something.
        fork_server: Function that starts a fork server with additional variables, or None.
    """

    def __init__(
        self,
        environments: Sequence[Mapping[str, str]],
        logs: Path,
        fork_server: Callable[[Mapping[str, str]], ForkServer] | None = None,
    ) -> None:
        self._environments = environments
        self._logs = logs
        self._fork_server = fork_server
        self._running: list[_Running] = []
        self._server: ForkServer | None = None

    @property
    def slots(self) -> int:
        """Number of processes that run at the same time."""
        return len(self._environments)

    def start(self, job: Job) -> None:
        """Starts a process in a free slot.

        Raises:
            RunError: There are too many processes, or the output cannot be written.
        """
        taken = {running.slot for running in self._running}
        slot = next(slot for slot in range(self.slots) if slot not in taken)
        log = self._logs / f"{job.name}.log"
        output = _opened(log)
        start = output.seek(0, os.SEEK_END)
        reader, writer = os.pipe()
        stdin = os.fdopen(writer, "wb")
        try:
            forked = self._fork(job, slot, reader, output)
            process = forked or self._spawn(job, slot, reader, output)
        except OSError as error:
            stdin.close()
            output.close()
            raise RunError(
                f"no process can be started: {error.strerror}", hint="reduce --jobs"
            ) from error
        finally:
            os.close(reader)
        self._running.append(_Running(job, slot, process, stdin, output, log, start))

    def _spawn(self, job: Job, slot: int, stdin: int, output: IO[bytes]) -> _Spawned:
        return _Spawned(
            subprocess.Popen(
                [*job.command, "--stop-on-eof"],
                stdin=stdin,
                stdout=output,
                stderr=output,
                env={**os.environ, **self._environments[slot]},
                start_new_session=True,
            )
        )

    def _fork(self, job: Job, slot: int, stdin: int, output: IO[bytes]) -> ForkedProcess | None:
        """Returns a process of the fork server; None where the job must be started by command."""
        if not job.request or self._fork_server is None:
            return None
        if self._server is None:
            shared = set.intersection(*(set(one.items()) for one in self._environments))
            self._server = self._fork_server(dict(shared))
        try:
            return self._server.start(job.request, self._environments[slot], stdin, output.fileno())
        except OSError as error:
            warnings.warn(f"runs start more slowly, with their own imports: {error}", stacklevel=2)
            return None

    def wait(self, seconds: float) -> Sequence[Ended]:
        """Returns the jobs whose processes have ended."""
        deadline = time.monotonic() + seconds
        while True:
            for one in [one for one in self._running if _was_lost(one.process)]:
                self._remove(one)
                self.start(one.job)  # by its command, which resumes what was begun
            ended = [one for one in self._running if one.process.ended]
            if ended or time.monotonic() >= deadline:
                return [self._remove(one) for one in ended]
            self._sleep()

    def _sleep(self) -> None:
        """Waits for the next change of a process, at most `POLL_SECONDS`."""
        if self._server is None or self._server.end_reason:
            time.sleep(POLL_SECONDS)
        else:
            self._server.wait(POLL_SECONDS)

    def stop(self) -> None:
        """Interrupts all processes, and kills those that do not end in time."""
        try:
            if self._server is not None and not self._server.ready:
                self._server.close()  # drops requests that wait for its imports
            for one in self._running:
                one.stdin.close()
            deadline = time.monotonic() + STOP_SECONDS
            while self._running and time.monotonic() < deadline:
                self._sleep()
                for one in [one for one in self._running if one.process.ended]:
                    self._remove(one)
        finally:
            for one in list(self._running):
                self._kill(one.process)
                self._remove(one)
            if self._server is not None:
                self._server.close()
                self._server = None

    def _kill(self, process: _Spawned | ForkedProcess) -> None:
        if isinstance(process, _Spawned):
            process.kill()
        elif self._server is not None:
            self._server.kill(process)

    def _remove(self, one: _Running) -> Ended:
        """Returns how a process ended, and closes its files."""
        self._running.remove(one)
        one.stdin.close()
        code = one.process.code
        how = one.process.error if code is None else cause(code)
        size = one.output.seek(0, os.SEEK_END)
        one.output.seek(max(one.log_start, size - MAX_SHOWN_OUTPUT_BYTES))
        output = " ".join(one.output.read().decode(errors="replace").split())
        one.output.close()
        if not size:
            one.log.unlink(missing_ok=True)
        return Ended(one.job.name, code, f"{how}{': ' if output else ''}{output}")


def _opened(log: Path) -> IO[bytes]:
    """Opens a file that the output of a process is appended to.

    Raises:
        RunError: It cannot be written.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.is_symlink():  # to the output of a job in the queue of a cluster
            log.unlink()
        return log.open("a+b")
    except OSError as error:
        raise RunError(
            f"{log} cannot be written: {error.strerror}", hint="choose a writable folder with --out"
        ) from error


def _was_lost(process: _Spawned | ForkedProcess) -> bool:
    """Returns whether the fork server ended before the end of a process was known.

    What it had forked dies with it. Where such a process lives on for a moment, it has the run's
    lock, and the one that was started in its place ends as one that another has.
    """
    return isinstance(process, ForkedProcess) and process.lost


LOCAL = ExecutorSpec(
    name="local",
    summary="processes on this machine: one per GPU, or one per CPU core and 4 GB of memory",
    build=build,
    default=True,
)
