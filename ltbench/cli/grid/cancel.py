"""`ltbench grid cancel`: the end of a grid's jobs."""

from __future__ import annotations

from pathlib import Path

from ltbench.cli.grid.options import GridName, Out
from ltbench.cli.options import DataRoot
from ltbench.config.defaults import DEFAULT_DATA_ROOT


def cancel(
    source: GridName,
    out: Out = Path("runs"),
    data_root: DataRoot = DEFAULT_DATA_ROOT,
) -> None:
    """Cancel the jobs of a grid that wait or run in the queue of a cluster.

    Their runs can be resumed: `ltbench grid run` goes on from their last epochs. Processes on this
    machine are ended by Ctrl-C where they were started.

    Example: `ltbench grid cancel digits/methods`
    """
    from ltbench.engine.late_progress import LateProgress
    from ltbench.errors import RunError
    from ltbench.grid.grid_file import read_grid
    from ltbench.grid.named_grids import find_grid
    from ltbench.grid.queues import Queues
    from ltbench.io.console import console
    from ltbench.registry.load import load_plugins

    registry = load_plugins()
    grid = read_grid(find_grid(source, registry), registry, data_root, LateProgress())
    queues = Queues.of(out, registry)
    if queues.faults:
        raise RunError("; ".join(queues.faults), hint="try again")
    names = {run.resolved.spec.hash for run in grid.runs if run.missing is None}
    cancelled = queues.cancel(names)
    console().print(f"{len(cancelled)} jobs cancelled")
