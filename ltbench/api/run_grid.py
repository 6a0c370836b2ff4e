"""`ltbench.run_grid`: the runs of a grid from Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ltbench.api.results import Results
from ltbench.api.run_arguments import GridArguments, data_root_or_default
from ltbench.config.defaults import DEFAULT_CACHE_GB, DEFAULT_DEVICE, DEFAULT_OUT
from ltbench.engine.late_progress import LateProgress
from ltbench.errors import ConfigError, Interrupted, quoted
from ltbench.grid.grid_file import Grid, resolve_grid
from ltbench.grid.grid_tables import GridTables, read_tables, tables_of
from ltbench.grid.launch import GridOptions, execute_grid, schedule_grid
from ltbench.grid.named_grids import find_grid
from ltbench.grid.scheduler import Scheduler
from ltbench.grid.task import Task
from ltbench.io import interrupts
from ltbench.io.paths import is_path
from ltbench.io.process import expect_working_folder, let_waiting_threads_sleep
from ltbench.progress import SILENT
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.storage.results import Found
from ltbench.storage.run_directory import Overwrite


def run_grid(
    grid: str | Path | Mapping[str, Any],
    *,
    executor: str | None = None,
    jobs: int | None = None,
    out: str | Path = DEFAULT_OUT,
    device: str = DEFAULT_DEVICE,
    workers: int | None = None,
    cache: float = DEFAULT_CACHE_GB,
    data_root: str | Path | None = None,
    overwrite: Overwrite = "never",
    trackers: Sequence[str] = (),
    progress: bool = True,
    **options: Any,
) -> Results:
    """Executes the remaining runs of a grid as `ltbench grid run` does, and returns all its runs.

    Each run is executed in a process of its own. Finished runs are not executed again, an
    interrupted grid is resumed, and several calls and commands on one folder share the work.

    Args:
        grid: Path of a grid file, name of a plugin's grid (`ltbench grid list`), or the content of
            a grid file as a dictionary, such as `{"defaults": {"seed": [0, 1]}, "include":
            [{"train.lr": [0.01, 0.02]}]}`. A list is an axis; a tuple is a value that is a list.
        executor: Name of the executor; None for the default, processes on this machine.
        jobs: Number of runs at the same time; None for one a GPU, or one a CPU core and 4 GB.
        out: Folder of the run directories.
        device: "auto" (every GPU, or the CPU), "cpu", "cuda", "cuda:1", ...
        workers: Number of loader workers of a run; None to measure it.
        cache: Size of the cache below `out` in gigabytes; 0 for no cache.
        data_root: Folder of the data sets; None for the environment variable LTBENCH_DATA, or
            "data".
        overwrite: Earlier runs of the same choices that are executed again: "never", "failed" or
            "always".
        trackers: Names of the trackers that follow each run.
        progress: Whether progress is shown, on the standard error or below the cell of a notebook.
        options: Options of the executor and the trackers, in a dictionary:
            `**{"executor.partition": "gpu"}`.

    Returns:
        The runs of the grid, in its order.

    Raises:
        ConfigError: All faults of the arguments, of the grid, or of the options.
        DataError: A data set or weights are missing.
        RunError: Runs failed; the others are done. `load_results(out)` returns these.
        KeyboardInterrupt: The grid was interrupted; the same call resumes it.
    """
    expect_working_folder()
    let_waiting_threads_sleep()
    arguments = GridArguments.checked(
        {
            "out": out,
            "device": device,
            "workers": workers,
            "cache": cache,
            "data_root": data_root_or_default(data_root),
            "overwrite": overwrite,
            "trackers": trackers,
            "executor": executor,
            "jobs": jobs,
        }
    )
    try:
        with interrupts.caught():
            return _run(grid, arguments, options, shown=progress)
    except Interrupted as error:
        raise KeyboardInterrupt(f"{error.message}; the same call resumes the grid") from None


def _run(
    given: str | Path | Mapping[str, Any],
    arguments: GridArguments,
    settings: Mapping[str, Any],
    *,
    shown: bool,
) -> Results:
    registry = load_plugins()
    grid = _resolve(given, registry, arguments.data_root, shown=shown)
    options = GridOptions(**vars(arguments), settings=settings)
    scheduler = schedule_grid(grid, registry, options)
    failure = execute_grid(scheduler, _display(shown=shown))
    if failure is not None:
        raise failure
    runs = tuple(task.found.directory.finished() for task in scheduler.tasks)
    return Results(Found(runs, ()))


def _resolve(
    given: str | Path | Mapping[str, Any], registry: Registry, data_root: Path, *, shown: bool
) -> Grid:
    tables: GridTables
    if isinstance(given, Mapping):
        tables, origin = tables_of(given), "grid"
    elif is_path(given):
        path = find_grid(str(given), registry)
        tables, origin = read_tables(path), str(path)
    else:
        raise ConfigError(
            f"grid: expected the path of a grid file, a name or a dictionary, got {quoted(given)}",
            hint="see help(ltbench.run_grid)",
        )
    return resolve_grid(tables, origin, registry, data_root, LateProgress() if shown else SILENT)


@contextmanager
def _silent(scheduler: Scheduler) -> Iterator[Callable[[Task | None], None]]:
    yield lambda task: None


def _display(*, shown: bool) -> Any:
    if not shown:
        return _silent
    from ltbench.grid.display import show_progress

    return show_progress
