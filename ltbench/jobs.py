"""Jobs of a grid, and the protocols of the executors that run them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable


@dataclass(frozen=True)
class Resources:
    """Needs of a job, for executors that reserve them.

    Args:
        seconds: Forecast of the run's duration in seconds, without the start of its process; None
            where there is no forecast.
        gpus: Number of GPUs that the run uses; 0 where it needs none, or takes what it finds.
        ranks: Number of processes that the run starts.
    """

    seconds: float | None = None
    gpus: int = 0
    ranks: int = 1


@dataclass(frozen=True)
class Job:
    """A run of a grid, as an executor receives it: a process to start, on any machine.

    The process resumes its run from the run directory and writes the result there; the grid reads
    success or failure from the run directory. The exit code is 0 on success.

    Args:
        name: Name, unique among the running jobs of an executor: the hash of the run.
        command: Command that starts the process, in the working directory of the grid. It stops
            in a way that the run can be resumed after SIGTERM. With `--stop-on-eof` appended, it
            also does so when its standard input is closed: give it a pipe, and it does not outlive
            its parent.
        request: Request for `ForkServer.start`; empty where the job can only be started by its
            command.
        resources: Needs of the run.
        title: Cell and seed of the run, for people.
    """

    name: str
    command: tuple[str, ...]
    request: str = ""
    resources: Resources = Resources()
    title: str = ""


@dataclass(frozen=True)
class Ended:
    """A job that has ended.

    Args:
        job: Name of the job.
        code: Exit code of its process; None where it is unknown.
        reason: Cause of an end that the process could not record itself, such as a signal.
        resumable: Whether the job ended before its run was finished, through no fault of the run:
            it was cancelled, reached a time limit, or lost its machine. The grid records no
            failure. An exit code of 130 means the same.
        retry: Whether the grid starts a resumable job again; it gives up after some attempts that
            complete no epoch. Otherwise the run is left to the next command.
    """

    job: str
    code: int | None
    reason: str = ""
    resumable: bool = False
    retry: bool = False


class Executor(Protocol):
    """Runs the jobs of a grid; built by an `ExecutorSpec`."""

    @property
    def slots(self) -> int:
        """Number of jobs that run, or wait in a queue, at the same time; at least 1."""
        ...

    def start(self, job: Job) -> None:
        """Starts a job. Called only while fewer than `slots` jobs are running.

        Raises:
            RunError: No job can be started.
        """
        ...

    def wait(self, seconds: float) -> Sequence[Ended]:
        """Returns the jobs that have ended since the last call.

        Args:
            seconds: Time to wait for a job to end before an empty sequence is returned.

        Raises:
            RunError: Jobs cannot be run any more; the command ends.
        """
        ...

    def stop(self) -> None:
        """Ends all jobs in a way that they can be resumed, and returns when they have ended."""
        ...


@dataclass(frozen=True)
class JobReport:
    """Place of a job in the queue of a cluster.

    Args:
        state: Whether the job waits or runs.
        id: Name of the job at the cluster, such as "1234_5".
        place: Machine that runs the job; empty where it waits.
        reason: Reason why a job waits; empty where it runs.
        start: Start of the job, expected where it waits, in seconds since the epoch; None where it
            is not known.
        log: Path of the job's output; None where it is not kept.
    """

    state: Literal["pending", "running"]
    id: str = ""
    place: str = ""
    reason: str = ""
    start: float | None = None
    log: Path | None = None


@runtime_checkable
class ReportingExecutor(Executor, Protocol):
    """An executor whose jobs may wait after `start` until a machine is free.

    The grid finds the method with `isinstance`. The time of a run begins when its job is reported
    as running; without this method, it begins with `start`.
    """

    def report(self) -> Mapping[str, JobReport]:
        """Returns the places of the jobs that have not ended, by name."""
        ...


@runtime_checkable
class DetachedExecutor(ReportingExecutor, Protocol):
    """An executor whose jobs outlive the command, such as the queue of a cluster.

    The grid finds these methods with `isinstance`: `ltbench grid run --detach`, `grid cancel`, and
    the jobs in `grid status` need them. At most one command at a time starts or adopts a job.
    """

    def adopt(self, jobs: Sequence[Job]) -> Collection[str]:
        """Returns the names of those jobs that an earlier command has started and that go on.

        They are from now on as if this executor had started them: `wait` reports their ends.

        Args:
            jobs: Jobs that the grid will start unless they are adopted.

        Raises:
            RunError: The jobs of the cluster cannot be read.
        """
        ...

    def detach(self) -> None:
        """Leaves all jobs alone; the executor is not used afterwards.

        Raises:
            RunError: Jobs that were passed to `start` cannot be handed to the cluster.
        """
        ...

    def report(self) -> Mapping[str, JobReport]:
        """Returns the places of all jobs of the folder that have not ended, by name.

        Jobs that other commands have started are among them. During `wait` an answer that is some
        seconds old is enough.

        Raises:
            RunError: The jobs of the cluster cannot be read.
        """
        ...

    def cancel(self, names: Collection[str]) -> None:
        """Ends jobs in a way that they can be resumed, whichever command has started them.

        Args:
            names: Names of jobs; those that have ended are passed over.

        Raises:
            RunError: The jobs cannot be cancelled.
        """
        ...


@dataclass
class ForkedProcess:
    """A process that a fork server was requested to fork; it has a session of its own.

    Args:
        number: Number of the request, from 0.
        pid: Process id; None until the process is forked.
        ended: Whether the process has ended, or its end will not be reported any more.
        lost: Whether the server ended before the process did.
        code: Exit code, negative where a signal ended the process; None where it is unknown.
        error: Reason why the process was not forked, or why its exit code is unknown.
    """

    number: int
    pid: int | None = None
    ended: bool = False
    lost: bool = False
    code: int | None = None
    error: str = ""


class ForkServer(Protocol):
    """A process that has imported what the runs of a grid need, and forks a process for each run.

    `ExecutorContext.fork_server` starts one. It serves processes on the same machine.

    Attributes:
        ready: Whether the imports are done.
        end_reason: Reason for the end of the server; empty while it serves.
    """

    ready: bool
    end_reason: str

    def start(
        self, request: str, environment: Mapping[str, str], stdin: int, output: int
    ) -> ForkedProcess:
        """Requests a process; one that is requested before the imports are done waits for them.

        The process stops, in a way that its run can be resumed, when its standard input is closed.

        Args:
            request: Request of the job (`Job.request`).
            environment: Variables that are added to the environment of the process. Libraries are
                imported already: CUDA_VISIBLE_DEVICES takes effect, OMP_NUM_THREADS does not.
            stdin: File descriptor of the standard input: a pipe whose other end no other process
                holds.
            output: File descriptor of the standard output and the standard error.

        Raises:
            OSError: The server has ended, or the request is too long.
        """
        ...

    def wait(self, seconds: float) -> None:
        """Waits for a change of a process, and updates the processes.

        Args:
            seconds: Time after which the call returns without a change.
        """
        ...

    def kill(self, process: ForkedProcess) -> None:
        """Kills a process and its children, and returns when it has ended."""
        ...

    def close(self) -> None:
        """Ends the server; requests that wait for imports are dropped."""
        ...
