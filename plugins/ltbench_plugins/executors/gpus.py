"""Check of the GPUs that a run reserves on a cluster."""

from __future__ import annotations

from ltbench import ExecutorContext
from ltbench.errors import ConfigError


def expect_enough_gpus(gpus: float | None, ctx: ExecutorContext) -> None:
    """Checks that a run reserves a GPU for each of its processes.

    Args:
        gpus: Option of the executor; None: as many as the run uses; 0: the cluster counts none.
        ctx: Arguments of the executor.

    Raises:
        ConfigError: It reserves fewer.
    """
    if gpus and gpus < ctx.gpus > 1:
        raise ConfigError(
            f"executor.gpus: expected at least {ctx.gpus} with --gpus-per-run {ctx.gpus}, "
            f"got {gpus:g}",
            hint="leave executor.gpus out: a run then reserves as many as it uses",
        )
