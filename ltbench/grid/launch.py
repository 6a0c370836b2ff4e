"""Launch of a grid: from its runs to a schedule that executes those that remain.

`ltbench grid run` and `ltbench.run_grid` call this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltbench.config.user_file import UserConfig
from ltbench.contexts import ExecutorContext
from ltbench.engine.tracking import choose_trackers, without_trackers
from ltbench.errors import ConfigError, RunError
from ltbench.grid.detached_command import DetachedCommand, GridCommand
from ltbench.grid.executor import CheckedDetachedExecutor, build_executor, libraries_of
from ltbench.grid.executor_choice import choose_executor
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
        executor: Name of the executor; None for that of the grid file, of the user's configuration
            file, or the default.
        jobs: Largest number of runs at the same time; None lets the executor choose.
        device: "auto" (every GPU, or the CPU), "cpu", "cuda", "cuda:1", ...
        workers: Number of loader workers of a run; None to measure it.
        cache: Size of the cache in gigabytes; 0 for no cache.
        overwrite: Earlier runs that are executed again.
        trackers: Names of the trackers that follow each run.
        settings: Options of the executor and the trackers by key: `executor.partition`,
            `tracker.csv.folder`.
        detach: Whether the command ends when the executor has the jobs.
        cache_dir: Folder of the cache on the machines of the runs; None for the default.
        gpus_per_run: Number of GPUs that each run uses; None for one, or the CPU.
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
    cache_dir: Path | None = None
    gpus_per_run: int | None = None

    @property
    def resources(self) -> Resources:
        """Needs of each run, but for its forecast."""
        gpus = self.gpus_per_run or int(self.device.startswith("cuda"))
        return Resources(gpus=gpus, ranks=self.gpus_per_run or 1)


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
    device = options.device
    if options.gpus_per_run is not None:
        if device not in ("auto", "cuda"):
            raise ConfigError(
                f"--gpus-per-run: expected --device cuda or none, got {device}",
                hint="leave --device out",
            )
        device = "cuda"
    context = ExecutorContext(
        jobs=options.jobs,
        device=device,
        fork_server=fork_server,
        out=options.out,
        gpus=options.gpus_per_run or 1,
    )
    choice = choose_executor(
        UserConfig.read(),
        (grid.origin, grid.executor),
        (options.executor, own),
        registry.default("executor"),
    )
    executor = build_executor(registry, choice, context, [*faults, *wrong])
    if options.detach and not isinstance(executor, CheckedDetachedExecutor):
        raise ConfigError(
            f"--detach: the jobs of executor '{executor.component.spec.name}' end with the command",
            hint="choose an executor of a cluster: `ltbench list executors`",
        )
    grid.require_data()
    cells = read_states(grid, options.out)
    earlier = DetachedCommand.of(options.out, (run.resolved.spec.hash for run in grid.runs))
    follows = options.overwrite == "always" and not options.detach
    command = (earlier.read() if follows else None) or GridCommand.start(options.out)
    scheduler = Scheduler.of(
        cells,
        executor,
        options.out,
        options.overwrite,
        options.resources,
        command.start_time,
        device=device,
        ranks=options.resources.ranks,
        workers=options.workers,
        cache=options.cache,
        cache_dir=str(options.cache_dir or ""),
        command_id=command.id,
        data_root=str(options.data_root),
        trackers=[chosen.name for chosen in trackers],
        tracker_options={key: as_text(value) for key, value in of_trackers.items()},
    )
    scheduler.detach, scheduler.detached_command = options.detach, earlier
    if options.detach and options.overwrite == "always":
        earlier.write(command)
    elif options.detach:
        earlier.forget()
    if isinstance(executor, CheckedDetachedExecutor):
        remember(executor, options.out, choice.options)
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
    left = [task for task in scheduler.tasks if task.state == "to do"]  # their jobs ended early
    if not left and not scheduler.detach and scheduler.detached_command is not None:
        scheduler.detached_command.forget()
    failed = [task for task in scheduler.tasks if task.state == "failed"]
    if failed:
        hint = "execute them again with --overwrite failed"
        return _error(failed, scheduler.tasks, "failed", hint)
    if left and not scheduler.detach:
        hint = "start the same command again to resume"
        return _error(left, scheduler.tasks, "are not finished", hint)
    return None


def _error(some: Sequence[Task], tasks: Sequence[Task], what: str, hint: str) -> RunError:
    """Returns the error about some of the tasks, with the reason of the first."""
    others = ", the first of them: " if len(some) > 1 else ": "
    first = f"{some[0].title}: {some[0].found.error}"
    return RunError(f"{len(some)} of {len(tasks)} runs {what}{others}{first}", hint=hint)
