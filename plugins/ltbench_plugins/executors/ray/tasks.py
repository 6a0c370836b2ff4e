"""Tasks of a Ray cluster that run the jobs of a grid."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ltbench import ExecutorContext
from ltbench.errors import ConfigError, Interrupted, RunError
from ltbench.jobs import Ended, Job, JobReport
from ltbench_plugins.executors.exits import cause
from ltbench_plugins.executors.gpus import expect_enough_gpus
from ltbench_plugins.executors.ray import command
from ltbench_plugins.executors.ray.demand import Demand, RayOptions, needs_of

STOP_SECONDS = 35.0  # from cancelling the tasks until their workers are killed
KILL_SECONDS = 5.0
NODES_SECONDS = 2.0  # for which the list of nodes is kept
WARNING_SECONDS = 10.0  # without a node that suits


class Ray:
    """Executor of tasks that run commands in the workers of a Ray cluster.

    Ray restarts nothing: a job whose worker or node has died is reported as one that can be started
    again, and the grid decides.

    Args:
        config: Options.
        ctx: Context; the output of jobs is in `ctx.folder`.
        connected: Whether the connection of this process belongs to the executor.

    Raises:
        ConfigError: The device names one GPU of several, or a run reserves too few GPUs.
    """

    def __init__(self, config: RayOptions, ctx: ExecutorContext, connected: bool) -> None:
        import ray

        if ":" in ctx.device:
            raise ConfigError(
                f"--device: expected auto, cpu or cuda with executor 'ray', got {ctx.device}",
                hint="Ray assigns the GPUs of a run",
            )
        expect_enough_gpus(config.gpus, ctx)
        ray.cloudpickle.register_pickle_by_value(command)
        self._run = ray.remote(num_returns="streaming")(command.run_task)
        self._config = config
        self._ctx = ctx
        self._connected = connected
        self._needs = needs_of(ctx)
        self._running: dict[Any, Job] = {}  # by the generator of what their tasks yield
        self._places: dict[str, JobReport] = {}
        self._nodes: Sequence[Mapping[str, Any]] = ()
        self._nodes_time = -NODES_SECONDS
        self._unsuited_since: float | None = None
        self._warned = False

    @property
    def slots(self) -> int:
        """Number of tasks at the same time: `--jobs`, or what the nodes hold."""
        return self._ctx.jobs or max(1, self._demand().capacity(self._living()))

    def start(self, job: Job) -> None:
        """Submits a task.

        Raises:
            RunError: The folder of outputs cannot be created.
        """
        self._needs = job.resources
        demand = self._demand()
        threads = str(max(1, int(demand.amounts["CPU"] / job.resources.ranks)))
        environment = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or threads}
        options = {"name": job.title or job.name, "max_retries": 0, **demand.options()}
        logs = self._ctx.folder / "logs"
        try:  # here: on a node that does not see it, it would be another folder
            logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{logs} cannot be created: {error.strerror}") from error
        task = self._run.options(**options).remote(
            (*job.command, "--stop-on-eof"),
            str(Path.cwd()),
            environment,
            str(logs / f"{job.name}.log"),
        )
        self._running[task] = job
        self._places[job.name] = JobReport("pending")

    def wait(self, seconds: float) -> Sequence[Ended]:
        """Returns the jobs whose tasks have ended.

        Raises:
            RunError: No node has what a run reserves, or a node cannot run the commands.
        """
        if not self._running:
            time.sleep(seconds)
            return []
        ready = self._ready(seconds)
        if not ready:
            self._require_node()
        return [ended for task in ready if (ended := self._read(task)) is not None]

    def report(self) -> Mapping[str, JobReport]:
        """Returns which jobs run, and where."""
        return dict(self._places)

    def stop(self) -> None:
        """Cancels all tasks, and kills the workers of those that do not end in time."""
        import ray

        if not ray.is_initialized():
            return
        try:
            for force, patience in ((False, STOP_SECONDS), (True, KILL_SECONDS)):
                for task in self._running:
                    ray.cancel(task, force=force)
                until = time.monotonic() + patience
                while self._running and time.monotonic() < until:
                    for task in self._ready(max(0.0, until - time.monotonic())):
                        with suppress(RunError):
                            self._read(task)
        finally:
            self._running.clear()
            self._places.clear()
            if self._connected:
                ray.shutdown()

    def _ready(self, seconds: float) -> Sequence[Any]:
        """Returns the tasks that have begun or ended.

        Args:
            seconds: Time to wait for one of them.
        """
        import ray

        tasks = list(self._running)
        ready: Sequence[Any] = ray.wait(tasks, timeout=seconds)[0]
        if ready and len(tasks) > 1:  # the others that are ready as well
            ready = ray.wait(tasks, num_returns=len(tasks), timeout=0)[0]
        return ready

    def _read(self, task: Any) -> Ended | None:
        """Returns how a task that is ready has ended; None where it has begun."""
        import ray
        from ray import exceptions

        job = self._running.pop(task)
        place = self._places.pop(job.name).place
        try:
            found = ray.get(next(task))
        except exceptions.TaskCancelledError:
            return Ended(job.name, Interrupted.exit_code, "its task was cancelled", resumable=True)
        except exceptions.OutOfMemoryError:
            reason = "Ray has killed it: the memory of its node was exhausted"
            return Ended(job.name, None, reason)
        except exceptions.RayTaskError as error:
            raise refusal(error.cause, job.command[0], place) from error
        except exceptions.RayError as error:  # the worker or the node has died
            reason = f"its Ray worker has ended: {str(error).strip().splitlines()[0]}"
            return Ended(job.name, None, reason, resumable=True, retry=True)
        if isinstance(found, str):
            self._running[task] = job
            self._places[job.name] = JobReport("running", place=found, start=time.time())
            return None
        code, output = found
        return Ended(job.name, code, f"{cause(code)}{': ' if output else ''}{output}")

    def _demand(self) -> Demand:
        return Demand.of(self._config, self._needs, self._ctx.device, self._living())

    def _living(self) -> Sequence[Mapping[str, Any]]:
        """Returns the nodes of the cluster, as they were some seconds ago."""
        import ray

        if time.monotonic() > self._nodes_time + NODES_SECONDS:
            self._nodes, self._nodes_time = ray.nodes(), time.monotonic()
        return self._nodes

    def _require_node(self) -> None:
        """Checks that tasks which wait can ever run; Ray keeps them for ever.

        Raises:
            RunError: No node has had what a run reserves for some time.
        """
        demand = self._demand()
        if demand.capacity(self._living()):
            self._unsuited_since = None
            return
        now = time.monotonic()
        if self._unsuited_since is None:
            self._unsuited_since = now
        missing = f"no node of the Ray cluster has {demand}"
        if now > self._unsuited_since + self._config.node_seconds:
            raise RunError(
                f"{missing}, {self._config.node_seconds:g} seconds after the request",
                hint="compare `ray status` with the options of `ltbench show executor ray`",
            )
        if not self._warned and now > self._unsuited_since + WARNING_SECONDS:
            self._warned = True
            left = self._unsuited_since + self._config.node_seconds - now
            warnings.warn(f"{missing}; waiting {left:.0f} seconds for one", stacklevel=2)


def refusal(error: Exception, program: str, node: str) -> RunError:
    """Returns the error about a node that cannot start the command of a job.

    Args:
        error: Error of the task.
        program: First word of the command.
        node: Name of the node.
    """
    if isinstance(error, FileNotFoundError) and error.filename != program:
        return RunError(
            f"the node {node} of the Ray cluster does not see {error.filename}",
            hint="start the grid in a folder that all nodes share, and give --out in such a folder",
        )
    return RunError(
        f"the node {node} of the Ray cluster cannot run the command of a job: {error}",
        hint="ltbench must have the same path on each node",
    )
