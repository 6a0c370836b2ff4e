"""`ltbench grid status`: states of a grid's runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltbench.cli.grid.options import All, GridName, Out
from ltbench.cli.options import DataRoot, Json
from ltbench.config.defaults import DEFAULT_DATA_ROOT
from ltbench.io.gc import gc_paused

if TYPE_CHECKING:
    from ltbench.grid.status import RunState
    from ltbench.jobs import JobReport


@gc_paused()  # its objects live until it ends
def status(
    source: GridName,
    all_cells: All = False,
    json: Json = False,
    out: Out = Path("runs"),
    data_root: DataRoot = DEFAULT_DATA_ROOT,
) -> None:
    """Show the states of a grid's runs, their accuracies, errors, and jobs on a cluster.

    Example: `ltbench grid status digits/methods`
    """
    from rich.markup import escape

    from ltbench.cli.grid.jobs import job_as_json, print_jobs
    from ltbench.cli.grid.show import print_failed, print_notes, print_states
    from ltbench.cli.output import print_json
    from ltbench.engine.late_progress import LateProgress
    from ltbench.grid.forecast import Forecaster
    from ltbench.grid.grid_file import read_grid
    from ltbench.grid.named_grids import find_grid
    from ltbench.grid.queues import Queues
    from ltbench.grid.status import read_states
    from ltbench.io.console import console
    from ltbench.registry.load import load_plugins

    registry = load_plugins()
    grid = read_grid(find_grid(source, registry), registry, data_root, LateProgress())
    queues, cells = Queues.of(out, registry), read_states(grid, out)
    forecaster = Forecaster(out, cells)
    seconds = {cell.cell.label: forecaster.of(cell) for cell in cells} if queues.jobs else {}

    def job(label: str, state: RunState) -> tuple[JobReport | None, float | None]:
        expected = seconds.get(label)
        known = None if state.run.missing else queues.jobs.get(state.run.resolved.spec.hash)
        return known, None if expected is None else expected.seconds

    if json:
        runs = [
            {**_as_json(cell.cell.label, state), "job": job_as_json(*job(cell.cell.label, state))}
            for cell in cells
            for state in cell.runs
        ]
        print_json({"name": grid.name, "runs": runs})
        return
    stdout = console()
    stdout.print(f"\n[bold]{escape(grid.name)}[/]")
    print_states([(cell.cell.label, cell.runs) for cell in cells], stdout, all_cells)
    every = [(cell.cell.label, state) for cell in cells for state in cell.runs]
    print_failed(every, stdout, all_cells)
    jobs = [
        (f"{label}, seed {state.run.resolved.spec.seed}", place, expected)
        for label, state in every
        for place, expected in [job(label, state)]
        if place is not None
    ]
    if jobs:
        print_jobs(jobs, stdout, all_cells)
    for fault in queues.faults:
        stdout.print(f"[yellow]{escape(fault)}[/]", soft_wrap=True)
    print_notes(grid, stdout, all_cells)


def _as_json(label: str, state: RunState) -> dict[str, Any]:
    spec = state.run.resolved.spec
    known = state.run.missing is None
    return {
        "cell": label,
        "seed": spec.seed,
        "data_seed": spec.data_seed,
        "hash": spec.hash if known else None,
        "directory": str(state.directory.path) if known else None,
        "state": state.state,
        "epochs": state.figures.epochs if state.figures else state.epochs,
        "accuracy": state.figures.accuracy if state.figures else None,
        "error": state.error or None,
    }
