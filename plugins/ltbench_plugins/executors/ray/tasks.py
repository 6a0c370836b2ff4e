"""Tasks of a Ray cluster that run the jobs of a grid."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ltbench import ExecutorContext
from ltbench.errors import ConfigError, Interrupted, RunError
from ltbench.jobs import Ended, Job, Resources
from ltbench_plugins.executors.exits import cause
from ltbench_plugins.executors.ray import command
from ltbench_plugins.executors.ray.demand import Demand, RayOptions

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
        ConfigError: The device names one GPU of several.
    """

    def __init__(self, config: RayOptions, ctx: ExecutorContext, connected: bool) -> None:
        import ray

        if ":" in ctx.device:
            raise ConfigError(
                f"--device: expected auto, cpu or cuda with executor 'ray', got {ctx.device}",
                hint="Ray assigns the GPUs of a run",
            )
        ray.cloudpickle.register_pickle_by_value(command)
        self._run = ray.remote(command.run_command)
        self._config = config
        self._ctx = ctx
        self._connected = connected
        self._needs = Resources(gpus=int(ctx.device == "cuda"))
        self._running: dict[Any, Job] = {}  # by the reference of their results
        self._nodes: Sequence[Mapping[str, Any]] = ()
        self._nodes_time = -NODES_SECONDS
        self._unsuited_since: float | None = None
        self._warned = False

    @property
    def slots(self) -> int:
        """Number of tasks at the same time: `--jobs`, or what the nodes hold."""
        return self._ctx.jobs or max(1, self._demand().capacity(self._living()))

    def start(self, job: Job) -> None:
        """Submits a task."""
        self._needs = job.resources
        demand = self._demand()
        threads = str(max(1, int(demand.amounts["CPU"] / job.resources.ranks)))
        environment = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or threads}
        options = {"name": job.title or job.name, "max_retries": 0, **demand.options()}
        reference = self._run.options(**options).remote(
            (*job.command, "--stop-on-eof"),
            str(Path.cwd()),
            environment,
            str(self._ctx.folder / "logs" / f"{job.name}.log"),
        )
        self._running[reference] = job

    def wait(self, seconds: float) -> Sequence[Ended]:
        """Returns the jobs whose tasks have ended.

        Raises:
            RunError: No node has what a run reserves, or a node cannot run the commands.
        """
        import ray

        if not self._running:
            time.sleep(seconds)
            return []
        ready, _ = ray.wait(list(self._running), timeout=seconds)
        if ready and len(self._running) > 1:  # the others that are ready as well
            ready, _ = ray.wait(list(self._running), num_returns=len(self._running), timeout=0)
        if not ready:
            self._require_node()
        return [self._ended(reference) for reference in ready]

    def stop(self) -> None:
        """Cancels all tasks, and kills the workers of those that do not end in time."""
        import ray

        if not ray.is_initialized():
            return
        try:
            for force, patience in ((False, STOP_SECONDS), (True, KILL_SECONDS)):
                left = list(self._running)
                for reference in left:
                    ray.cancel(reference, force=force)
                ready = ray.wait(left, num_returns=len(left), timeout=patience)[0] if left else []
                for reference in ready:
                    del self._running[reference]
        finally:
            self._running.clear()
            if self._connected:
                ray.shutdown()

    def _ended(self, reference: Any) -> Ended:
        """Returns how a task has ended."""
        import ray
        from ray import exceptions

        job = self._running.pop(reference)
        try:
            code, output = ray.get(reference)
        except exceptions.TaskCancelledError:
            return Ended(job.name, Interrupted.exit_code, "its task was cancelled", resumable=True)
        except exceptions.OutOfMemoryError:
            reason = "Ray has killed it: the memory of its node was exhausted"
            return Ended(job.name, None, reason)
        except exceptions.RayTaskError as error:
            raise RunError(
                f"a node of the Ray cluster cannot run the command of a job: {error.cause}",
                hint="ltbench and the folder of runs must have the same paths on each node",
            ) from error
        except exceptions.RayError as error:  # the worker or the node has died
            reason = f"its Ray worker has ended: {str(error).strip().splitlines()[0]}"
            return Ended(job.name, None, reason, resumable=True, retry=True)
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
