"""Runs on this machine, each in a process of its own: one a GPU, or as many as suit the CPU."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ltbench import ExecutorContext, ExecutorSpec, NoOptions
from ltbench.errors import RunError
from ltbench.grid.fork_server import Forked, ForkServer
from ltbench.protocols import Ended, Job

_POLL = 0.05  # seconds between two looks at the processes
_PATIENCE = 30.0  # seconds that runs have to end by themselves
_ROOM = 4 * 2**30  # bytes of memory that a run on the CPU is given where nobody says how many
_TAIL = 400  # characters of what a process said before it crashed


def build(config: NoOptions, ctx: ExecutorContext) -> Local:
    """Builds the executor for the GPUs of this machine, or for its CPU cores."""
    gpus = _gpus(ctx.device)
    if gpus:
        slots = ctx.jobs or len(gpus)
        shared = [{"CUDA_VISIBLE_DEVICES": gpus[slot % len(gpus)]} for slot in range(slots)]
        return Local(shared, ctx.libraries)
    on_gpu = ctx.device.startswith("cuda")  # all runs on the one that was named
    slots = ctx.jobs or (1 if on_gpu else max(1, min(_cores(), _memory() // _ROOM)))
    threads = str(max(1, _cores() // slots))
    # Who limits the threads of this process means those of its children.
    threads = os.environ.get("OMP_NUM_THREADS", threads)
    return Local([{"OMP_NUM_THREADS": threads}] * slots, ctx.libraries)


def _gpus(device: str) -> list[str]:
    """Returns the GPUs to share out, as CUDA_VISIBLE_DEVICES names them."""
    if device not in ("auto", "cuda") or not _has_driver():
        return []
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    return visible.split(",")[:count] if visible else [str(index) for index in range(count)]


def _has_driver() -> bool:
    """Returns whether there may be GPUs; to count them takes torch, and seconds."""
    try:
        ctypes.CDLL("libcuda.so.1")  # loads it, and initialises nothing
    except OSError:
        return Path("/dev/kfd").exists()  # AMD's
    return True


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@dataclass
class _Spawned:
    """A process that was started by a command."""

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
                os.killpg(self.process.pid, signal.SIGKILL)  # its loader workers, too
            self.process.wait()


@dataclass
class _Running:
    job: Job
    slot: int
    process: _Spawned | Forked
    leash: IO[bytes]  # the other end of its standard input
    said: IO[bytes]


class Local:
    """Keeps at most a process a slot.

    A process has a session of its own, so that Ctrl-C reaches the parent alone, which ends its
    children. Their standard input is a pipe: it closes with the parent, whatever ends that. Jobs
    that have a request are forked by a server that has imported what they need, where that works.

    Args:
        environments: What each slot adds to the environment of its processes.
        libraries: What the fork server imports.
    """

    def __init__(
        self, environments: Sequence[Mapping[str, str]], libraries: Sequence[str] = ()
    ) -> None:
        self._environments = environments
        self._libraries = libraries
        self._running: list[_Running] = []
        self._server: ForkServer | None = None

    @property
    def slots(self) -> int:
        """How many processes run at the same time."""
        return len(self._environments)

    def start(self, job: Job) -> None:
        """Starts a process in a slot that is free."""
        taken = {running.slot for running in self._running}
        slot = next(slot for slot in range(self.slots) if slot not in taken)
        said = tempfile.TemporaryFile()  # noqa: SIM115
        inner, outer = os.pipe()
        leash = os.fdopen(outer, "wb")
        try:
            process = self._forked(job, slot, inner, said) or self._spawned(job, slot, inner, said)
        except OSError as error:
            leash.close()
            said.close()
            raise RunError(
                f"no process can be started: {error.strerror}", hint="take fewer --jobs"
            ) from error
        finally:
            os.close(inner)
        self._running.append(_Running(job, slot, process, leash, said))

    def _spawned(self, job: Job, slot: int, stdin: int, said: IO[bytes]) -> _Spawned:
        return _Spawned(
            subprocess.Popen(
                [*job.command, "--leash"],
                stdin=stdin,
                stdout=said,
                stderr=said,
                env={**os.environ, **self._environments[slot]},
                start_new_session=True,
            )
        )

    def _forked(self, job: Job, slot: int, stdin: int, said: IO[bytes]) -> Forked | None:
        """Returns a process that the fork server was asked for; None where there is none."""
        if not job.request or not ForkServer.works():
            return None
        if self._server is None:
            shared = set.intersection(*(set(one.items()) for one in self._environments))
            self._server = ForkServer(self._libraries, dict(shared))
        try:
            return self._server.start(job.request, self._environments[slot], stdin, said.fileno())
        except OSError as error:
            warnings.warn(f"runs begin more slowly, with their own imports: {error}", stacklevel=2)
            return None

    def wait(self, seconds: float) -> Sequence[Ended]:
        """Returns the jobs whose processes have ended."""
        until = time.monotonic() + seconds
        while True:
            for one in [one for one in self._running if _was_never_begun(one.process)]:
                self._forget(one)
                self.start(one.job)  # by its command: there is no fork server any more
            ended = [one for one in self._running if one.process.ended]
            if ended or time.monotonic() >= until:
                return [self._forget(one) for one in ended]
            self._sleep()

    def _sleep(self) -> None:
        """Waits until something may have happened."""
        if self._server is None or self._server.gone:
            time.sleep(_POLL)
        else:
            self._server.wait(_POLL)

    def stop(self) -> None:
        """Interrupts all processes; kills those that do not end."""
        try:
            if self._server is not None and not self._server.ready:
                self._server.close()  # nobody is left to be forked
            for one in self._running:
                one.leash.close()
            until = time.monotonic() + _PATIENCE
            while self._running and time.monotonic() < until:
                self._sleep()
                for one in [one for one in self._running if one.process.ended]:
                    self._forget(one)
        except KeyboardInterrupt:
            pass  # asked twice
        finally:
            for one in list(self._running):
                one.process.kill()
                self._forget(one)
            if self._server is not None:
                self._server.close()
                self._server = None

    def _forget(self, one: _Running) -> Ended:
        """Returns how a process ended, and lets go of what it had."""
        self._running.remove(one)
        one.leash.close()
        code = one.process.code
        cause = one.process.error if code is None else _cause(code)
        size = one.said.seek(0, os.SEEK_END)
        one.said.seek(max(0, size - _TAIL))
        said = " ".join(one.said.read().decode(errors="replace").split())
        one.said.close()
        return Ended(one.job.name, code, f"{cause}{': ' if said else ''}{said}")


def _was_never_begun(process: _Spawned | Forked) -> bool:
    """Returns whether the fork server has gone before it came to a process."""
    return isinstance(process, Forked) and process.lost and process.pid is None


def _cause(code: int) -> str:
    """Says how a process ended.

    >>> _cause(-9)
    'killed by SIGKILL (out of memory?)'
    """
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    return f"killed by {name} (out of memory?)" if name == "SIGKILL" else f"killed by {name}"


LOCAL = ExecutorSpec(
    name="local",
    summary="processes on this machine: one a GPU, or one a CPU core and 4 GB of memory",
    build=build,
    default=True,
)
