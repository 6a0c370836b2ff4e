"""An executor of ltbench: runs of a grid as tasks of a Dask cluster."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from subprocess import PIPE, Popen
from tempfile import TemporaryFile
from typing import Any

from ltbench import ExecutorContext, ExecutorSpec, hookimpl, option
from ltbench.errors import RunError
from ltbench.jobs import Ended, Job


@dataclass(frozen=True)
class Config:
    """Options of the executor."""

    address: str | None = option(None, "HOST:PORT of the scheduler; none: workers on this machine")


def execute(command: Sequence[str], stop: Any) -> tuple[int, str]:
    """Runs a command in a worker, until an event stops it; returns exit code and last output."""
    with TemporaryFile("w+", errors="replace") as out:
        process = Popen([*command, "--stop-on-eof"], stdin=PIPE, stdout=out, stderr=out)
        while process.poll() is None and not stop.wait(0.5):
            pass
        process.communicate()  # closes its standard input, which interrupts it
        out.seek(max(0, out.seek(0, 2) - 400))
        return process.returncode, f"exit code {process.returncode}: {out.read().strip()}"


class Dask:
    """Executor of tasks in the workers of a Dask cluster."""

    def __init__(self, config: Config, ctx: ExecutorContext) -> None:
        from distributed import Client, Event  # not at the start of each command

        try:
            self._client = Client(config.address, timeout=10)
        except OSError as error:
            raise RunError(f"no Dask scheduler answers: {error}") from error
        self.slots = ctx.jobs or max(1, sum(self._client.nthreads().values()))
        self._running, self._stop = dict[str, Any](), Event(client=self._client)

    def start(self, job: Job) -> None:
        """Submits a task."""
        self._running[job.name] = self._client.submit(execute, job.command, self._stop, pure=False)

    def wait(self, seconds: float) -> Sequence[Ended]:
        """Returns the jobs whose tasks have ended."""
        until = time.monotonic() + seconds
        while not any(task.done() for task in self._running.values()) and time.monotonic() < until:
            time.sleep(0.05)
        done = [job for job, task in self._running.items() if task.done()]
        return [ended(job, self._running.pop(job)) for job in done]

    def stop(self) -> None:
        """Interrupts all jobs, and returns when they have ended."""
        if self._client.status == "running":
            self._stop.set()
            until = time.monotonic() + 30
            while self._running and time.monotonic() < until:
                self.wait(1.0)
            self._client.close()


def ended(job: str, task: Any) -> Ended:
    """Returns how a job ended; where its task was lost, it is started again."""
    if task.status == "finished":
        return Ended(job, *task.result())
    return Ended(job, None, f"its task is {task.status}", resumable=True, retry=True)


@hookimpl
def ltbench_register_executors() -> list[ExecutorSpec]:
    """Returns the executor of this package."""
    return [ExecutorSpec(name="dask", summary="tasks of Dask", config=Config, build=Dask)]
