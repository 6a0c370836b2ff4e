"""Launch of a grid: from its runs to a schedule that executes those that remain.

`ltbench grid run` and `ltbench.run_grid` call this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltbench.contexts import ExecutorContext
from ltbench.engine.tracking import choose_trackers, without_trackers
from ltbench.errors import ConfigError, RunError
from ltbench.grid.executor import CheckedDetachedExecutor, build_executor, libraries_of
from ltbench.grid.forecast import Forecaster
from ltbench.grid.fork_server import fork_server_factory
from ltbench.grid.grid_file import Grid
from ltbench.grid.queues import as_text, remember
from ltbench.grid.scheduler import Scheduler
from ltbench.grid.status import read_states
from ltbench.grid.task import Task
from ltbench.jobs import Resources
from ltbench.registry.registry import Registry
from ltbench.storage.run_directory import Overwrite


@dataclass(frozen=True)
class GridOptions:
    """Options of the execution of a grid: they change no result.

    Args:
        out: Folder of the run directories.
        data_root: Folder of the data sets.
        executor: Name of the executor; None for the default.
        jobs: Largest number of runs at the same time; None lets the executor choose.
        device: "auto" (every GPU, or the CPU), "cpu", "cuda", "cuda:1", ...
        workers: Number of loader workers of a run; None to measure it.
        cache: Size of the cache below `out` in gigabytes; 0 for no cache.
        overwrite: Earlier runs that are executed again.
        trackers: Names of the trackers that follow each run.
        settings: Options of the executor and the trackers by key: `executor.partition`,
            `tracker.csv.folder`.
        detach: Whether the command ends when the executor has the jobs.
    """

    out: Path
    data_root: Path
    executor: str | None = None
    jobs: int | None = None
    device: str = "auto"
    workers: int | None = None
    cache: float = 0.0
    overwrite: Overwrite = "never"
    trackers: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    detach: bool = False


def schedule_grid(
    grid: Grid, registry: Registry, options: GridOptions, faults: Sequence[str] = ()
) -> Scheduler:
    """Returns the schedule of a grid: its states were read, and no run was started.

    Args:
        grid: The grid.
        registry: Components to choose from.
        options: Options of the execution.
        faults: Faults found so far, which are reported together with all others.

    Raises:
        ConfigError: All faults of the options.
        DataError: A data set or a backbone is missing.
        RunError: The folder of the run directories cannot be written to.
    """
    own, of_trackers = without_trackers(options.settings)
    trackers, wrong = choose_trackers(registry, options.trackers, of_trackers)
    fork_server = fork_server_factory(libraries_of(grid, trackers))
    context = ExecutorContext(
        jobs=options.jobs, device=options.device, fork_server=fork_server, out=options.out
    )
    executor = build_executor(registry, options.executor, own, context, [*faults, *wrong])
    if options.detach and not isinstance(executor, CheckedDetachedExecutor):
        raise ConfigError(
            f"--detach: the jobs of executor '{executor.component.spec.name}' end with the command",
            hint="choose an executor of a cluster: `ltbench list executors`",
        )
    grid.require_data()
    cells = read_states(grid, options.out)
    scheduler = Scheduler.of(
        cells,
        executor,
        options.out,
        options.overwrite,
        Resources(gpus=int(options.device.startswith("cuda"))),
        device=options.device,
        workers=options.workers,
        cache=options.cache,
        data_root=str(options.data_root),
        trackers=[chosen.name for chosen in trackers],
        tracker_options={key: as_text(value) for key, value in of_trackers.items()},
    )
    scheduler.detach = options.detach
    if isinstance(executor, CheckedDetachedExecutor):
        remember(executor, options.out, own)
    for task in [task for task in scheduler.tasks if not task.settled][:1]:
        for chosen in trackers:  # reports a missing library once, and not in every worker
            chosen.build(task.run.resolved, task.found.directory)
    forecaster = Forecaster(options.out, cells)
    expected = {cell.cell.label: forecaster.of(cell) for cell in cells}
    for task in scheduler.tasks:
        known = expected[task.cell]
        task.expected_seconds = known.seconds if known else None
    return scheduler


def execute_grid(
    scheduler: Scheduler,
    display: Callable[[Scheduler], AbstractContextManager[Callable[[Task | None], None]]],
) -> RunError | None:
    """Executes the remaining runs of a grid.

    Args:
        scheduler: Schedule of the runs.
        display: Function that opens the display of a schedule's progress.

    Returns:
        Error about the runs that failed; None where all runs are done.

    Raises:
        Interrupted: The user interrupted the command; running tasks can be resumed.
    """
    with display(scheduler) as show:
        scheduler.run(show)
    failed = [task for task in scheduler.tasks if task.state == "failed"]
    if not failed:
        return None if scheduler.detach else _unfinished(scheduler.tasks)
    others = ", the first of them: " if len(failed) > 1 else ": "
    return RunError(
        f"{len(failed)} of {len(scheduler.tasks)} runs failed{others}"
        f"{failed[0].title}: {failed[0].found.error}",
        hint="execute them again with --overwrite failed",
    )


def _unfinished(tasks: Sequence[Task]) -> RunError | None:
    """Returns the error about runs whose jobs ended early; None where all runs are done."""
    left = [task for task in tasks if task.state == "to do"]
    if not left:
        return None
    others = ", the first of them: " if len(left) > 1 else ": "
    return RunError(
        f"{len(left)} of {len(tasks)} runs are not finished{others}"
        f"{left[0].title}: {left[0].found.error}",
        hint="start the same command again to resume",
    )
