"""`ltbench grid run`: execution of a grid's remaining runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ltbench.cli.completion import complete_name_of
from ltbench.cli.grid.options import GridName, Out
from ltbench.cli.options import (
    MACHINE,
    CacheFolder,
    CacheSize,
    DataRoot,
    Json,
    Trackers,
    Workers,
    read_assignments,
)
from ltbench.config.defaults import DEFAULT_CACHE_GB, DEFAULT_DATA_ROOT
from ltbench.io import interrupts

if TYPE_CHECKING:
    from ltbench.grid.grid_file import Grid
    from ltbench.grid.scheduler import Scheduler
    from ltbench.grid.task import Task


def run(
    source: GridName,
    executor: Annotated[
        str | None,
        typer.Option(
            help="Executor (see `ltbench list executors`). Default: that of the grid file or of "
            "`ltbench config`, or local.",
            metavar="NAME",
            autocompletion=complete_name_of("executor"),
            rich_help_panel=MACHINE,
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Number of runs at the same time. Default: one a GPU, or one a CPU core and 4 GB.",
            rich_help_panel=MACHINE,
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        Literal["never", "failed", "always"],
        typer.Option(help="Earlier runs to execute again."),
    ] = "never",
    detach: Annotated[
        bool,
        typer.Option(
            "--detach",
            help="Leave the jobs in the queue of the cluster and end; the same command without it "
            "follows them.",
            rich_help_panel=MACHINE,
        ),
    ] = False,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="executor.OPTION=VALUE",
            help="Set an option of the executor (listed by `ltbench show executor NAME`), or "
            "tracker.NAME.OPTION. Repeatable.",
            rich_help_panel=MACHINE,
        ),
    ] = None,
    json: Json = False,
    out: Out = Path("runs"),
    device: Annotated[
        str,
        typer.Option(
            help="auto (every GPU, or the CPU), cpu, cuda, cuda:1.", rich_help_panel=MACHINE
        ),
    ] = "auto",
    gpus_per_run: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="GPUs that share each run out; see `ltbench docs ranks`. Default: one.",
            rich_help_panel=MACHINE,
            show_default=False,
        ),
    ] = None,
    workers: Workers = None,
    cache: CacheSize = DEFAULT_CACHE_GB,
    cache_dir: CacheFolder = None,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
    tracker: Trackers = None,
) -> None:
    """Execute the remaining runs of a grid, several at a time.

    Finished runs are skipped. Failed runs are kept with their error and executed again with
    --overwrite failed. A failure does not stop the other runs; the exit code is then 1. An
    interrupted grid is resumed by the same command; two commands on one folder share the work.

    Example: `ltbench grid run digits/methods --jobs 2`
    """
    from ltbench.engine.late_progress import LateProgress
    from ltbench.errors import RunError
    from ltbench.grid.display import show_progress
    from ltbench.grid.grid_file import read_grid
    from ltbench.grid.launch import GridOptions, execute_grid, schedule_grid
    from ltbench.grid.named_grids import find_grid
    from ltbench.grid.scheduler import STOP_SECONDS
    from ltbench.registry.load import load_plugins

    registry = load_plugins()
    grid = read_grid(find_grid(source, registry), registry, data_root, LateProgress())
    settings, faults = read_assignments(assignments)
    options = GridOptions(
        out=out,
        data_root=data_root,
        executor=executor,
        jobs=jobs,
        device=device,
        workers=workers,
        cache=cache,
        overwrite=overwrite,
        trackers=tracker or (),
        settings=settings,
        detach=detach,
        gpus_per_run=gpus_per_run,
        cache_dir=cache_dir,
    )
    scheduler = schedule_grid(grid, registry, options, faults)
    with interrupts.deferred(STOP_SECONDS):
        failure = execute_grid(scheduler, show_progress)
        _print(grid, scheduler, source, json=json)
        interrupts.finish(RunError.exit_code if failure else 0)
    if failure is not None:
        raise failure


def _print(grid: Grid, scheduler: Scheduler, source: str, *, json: bool) -> None:
    from rich.markup import escape

    from ltbench.cli.grid.show import print_failed, print_notes, print_states
    from ltbench.cli.output import print_json
    from ltbench.io.console import console

    if json:
        print_json({"name": grid.name, "runs": [_as_json(task) for task in scheduler.tasks]})
        return
    cells: dict[str, list[Any]] = {}
    for task in scheduler.tasks:
        cells.setdefault(task.cell, []).append(task.found)
    stdout = console()
    stdout.print(f"\n[bold]{escape(grid.name)}[/]")
    print_states(list(cells.items()), stdout, all_cells=False)
    earlier = sum(task.earlier and task.state == "done" for task in scheduler.tasks)
    if earlier:
        stdout.print(f"{earlier} of {len(scheduler.tasks)} runs were done before")
    print_failed(((task.cell, task.found) for task in scheduler.tasks), stdout, all_errors=False)
    print_notes(grid, stdout, all_notes=False)
    if scheduler.detach:
        queued = sum(task.started for task in scheduler.tasks)
        stdout.print(
            f"{queued} jobs are in the queue: ltbench grid status {source} --out {scheduler.out}",
            soft_wrap=True,
        )
        left = sum(not (task.started or task.settled or task.elsewhere) for task in scheduler.tasks)
        if left:
            stdout.print(
                f"{left} more runs do not fit into it: the same command submits them when jobs "
                "have ended",
                soft_wrap=True,
            )
        return
    stdout.print(
        f"stored in {scheduler.out}: ltbench leaderboard {scheduler.out}, ltbench report "
        f"{scheduler.out} --out report",
        soft_wrap=True,
    )


def _as_json(task: Task) -> dict[str, Any]:
    spec, figures = task.run.resolved.spec, task.found.figures
    return {
        "cell": task.cell,
        "seed": spec.seed,
        "data_seed": spec.data_seed,
        "hash": spec.hash,
        "directory": str(task.found.directory.path),
        "state": task.state,
        "ran": task.seconds is not None,
        "seconds": task.seconds,
        "accuracy": figures.accuracy if figures else None,
        "error": task.found.error or None,
    }
