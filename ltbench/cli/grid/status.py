"""`ltbench grid status`: states of a grid's runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltbench.cli.grid.options import All, GridName, Out
from ltbench.cli.options import DataRoot, Json
from ltbench.config.defaults import DEFAULT_DATA_ROOT

if TYPE_CHECKING:
    from ltbench.grid.status import RunState


def status(
    source: GridName,
    all_cells: All = False,
    json: Json = False,
    out: Out = Path("runs"),
    data_root: DataRoot = DEFAULT_DATA_ROOT,
) -> None:
    """Show the states of a grid's runs, their accuracies, and errors.

    Example: `ltbench grid status digits/methods`
    """
    from rich.markup import escape

    from ltbench.cli.grid.show import print_failed, print_notes, print_states
    from ltbench.cli.output import print_json
    from ltbench.engine.late_progress import LateProgress
    from ltbench.grid.grid_file import read_grid
    from ltbench.grid.named_grids import find_grid
    from ltbench.grid.status import read_states
    from ltbench.io.console import console
    from ltbench.registry.load import load_plugins

    registry = load_plugins()
    grid = read_grid(find_grid(source, registry), registry, data_root, LateProgress())
    cells = read_states(grid, out)
    if json:
        runs = [_as_json(cell.cell.label, state) for cell in cells for state in cell.runs]
        print_json({"name": grid.name, "runs": runs})
        return
    stdout = console()
    stdout.print(f"\n[bold]{escape(grid.name)}[/]")
    print_states([(cell.cell.label, cell.runs) for cell in cells], stdout, all_cells)
    every = [(cell.cell.label, state) for cell in cells for state in cell.runs]
    print_failed(every, stdout, all_cells)
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
