"""Executor of tasks in a Ray cluster: each task runs the command of one job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltbench import ExecutorContext, ExecutorSpec
from ltbench_plugins.executors.ray.demand import RayOptions

if TYPE_CHECKING:  # only grids that use it import it
    from ltbench_plugins.executors.ray.tasks import Ray


def build(config: RayOptions, ctx: ExecutorContext) -> Ray:
    """Builds the executor, and connects this process to the cluster.

    Raises:
        ConfigError: The package ray is missing, or an option does not suit Ray.
        RunError: No cluster answers.
    """
    from ltbench_plugins.executors.ray.connection import connect, refuse_copied
    from ltbench_plugins.executors.ray.tasks import Ray

    refuse_copied(ctx.out)
    return Ray(config, ctx, connect(config.address))


RAY = ExecutorSpec(
    name="ray",
    summary="tasks in a Ray cluster: one for each run, with the resources that it needs",
    reference="https://docs.ray.io",
    config=RayOptions,
    build=build,
    examples=({"cpus": 0.5},),
)
