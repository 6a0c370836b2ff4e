"""Runs on this machine, each in a process of its own: one a GPU, or as many as suit the CPU."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from ltbench import ExecutorContext, ExecutorSpec, NoOptions
from ltbench.errors import RunError
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
        return Local([{"CUDA_VISIBLE_DEVICES": gpus[slot % len(gpus)]} for slot in range(slots)])
    on_gpu = ctx.device.startswith("cuda")  # all runs on the one that was named
    slots = ctx.jobs or (1 if on_gpu else max(1, min(_cores(), _memory() // _ROOM)))
    threads = str(max(1, _cores() // slots))
    # Who limits the threads of this process means those of its children.
    threads = os.environ.get("OMP_NUM_THREADS", threads)
    return Local([{"OMP_NUM_THREADS": threads}] * slots)


def _gpus(device: str) -> list[str]:
    """Returns the GPUs to share out, as CUDA_VISIBLE_DEVICES names them."""
    if device not in ("auto", "cuda"):
        return []
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    return visible.split(",")[:count] if visible else [str(index) for index in range(count)]


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@dataclass
class _Running:
    job: Job
    slot: int
    process: subprocess.Popen[bytes]
    said: IO[bytes]


class Local:
    """Keeps at most a process a slot.

    A process has a session of its own, so that Ctrl-C reaches the parent alone, which ends its
    children. Their standard input is a pipe: it closes with the parent, whatever ends that.

    Args:
        environments: What each slot adds to the environment of its processes.
    """

    def __init__(self, environments: Sequence[Mapping[str, str]]) -> None:
        self._environments = environments
        self._running: list[_Running] = []

    @property
    def slots(self) -> int:
        """How many processes run at the same time."""
        return len(self._environments)

    def start(self, job: Job) -> None:
        """Starts a process in a slot that is free."""
        taken = {running.slot for running in self._running}
        slot = next(slot for slot in range(self.slots) if slot not in taken)
        said = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            process = subprocess.Popen(
                [*job.command, "--leash"],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                env={**os.environ, **self._environments[slot]},
                start_new_session=True,
            )
        except OSError as error:
            said.close()
            raise RunError(
                f"no process can be started: {error.strerror}", hint="take fewer --jobs"
            ) from error
        self._running.append(_Running(job, slot, process, said))

    def wait(self, seconds: float) -> Sequence[Ended]:
        """Returns the jobs whose processes have ended."""
        until = time.monotonic() + seconds
        while True:
            ended = [one for one in self._running if one.process.poll() is not None]
            if ended or time.monotonic() >= until:
                return [self._forget(one) for one in ended]
            time.sleep(_POLL)

    def stop(self) -> None:
        """Interrupts all processes; kills those that do not end."""
        try:
            for one in self._running:
                assert one.process.stdin is not None
                with suppress(OSError):
                    one.process.stdin.close()
            until = time.monotonic() + _PATIENCE
            for one in self._running:
                one.process.wait(max(0.0, until - time.monotonic()))
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            pass  # asked twice, or waited long enough
        finally:
            for one in list(self._running):
                _kill(one.process)
                self._forget(one)

    def _forget(self, one: _Running) -> Ended:
        """Returns how a process ended, and lets go of what it had."""
        self._running.remove(one)
        assert one.process.stdin is not None
        with suppress(OSError):
            one.process.stdin.close()
        code = one.process.returncode
        size = one.said.seek(0, os.SEEK_END)
        one.said.seek(max(0, size - _TAIL))
        said = " ".join(one.said.read().decode(errors="replace").split())
        one.said.close()
        return Ended(one.job.name, code, f"{_cause(code)}{': ' if said else ''}{said}")


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its loader workers, too
        process.wait()


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
