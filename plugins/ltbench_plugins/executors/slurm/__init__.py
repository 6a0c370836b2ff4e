"""Executor of jobs in the queue of a Slurm cluster: arrays of `sbatch`, followed with `squeue`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltbench import ExecutorContext, ExecutorSpec
from ltbench_plugins.executors.slurm.options import SlurmOptions

if TYPE_CHECKING:  # only grids that use it import it
    from ltbench_plugins.executors.slurm.queue import Slurm


def build(config: SlurmOptions, ctx: ExecutorContext) -> Slurm:
    """Builds the executor; its jobs are those of the folder `ctx.folder`.

    Raises:
        ConfigError: A run reserves too few GPUs.
        RunError: This machine has no `sbatch` or `squeue`, or the controller does not answer.
    """
    from ltbench_plugins.executors.slurm.queue import Slurm

    return Slurm(config, ctx)


SLURM = ExecutorSpec(
    name="slurm",
    summary="jobs of a Slurm cluster: an array for all runs with the same needs",
    reference="https://slurm.schedmd.com/sbatch.html",
    config=SlurmOptions,
    build=build,
    examples=({"poll_seconds": 0.5, "cpus": 1},),
)
