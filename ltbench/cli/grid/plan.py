"""`ltbench grid plan`: cells of a grid with a forecast of their time and memory."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ltbench.cli.grid.options import All, GridName, Out
from ltbench.cli.options import DataRoot, Device, Json, Workers
from ltbench.config.defaults import DEFAULT_DATA_ROOT
from ltbench.io.gc import gc_paused

if TYPE_CHECKING:
    from ltbench.grid.forecast import Forecast
    from ltbench.grid.grid_file import Grid
    from ltbench.grid.status import CellState

_MARKS = {"measured": "", "similar": "~", "probed": "≈"}


@gc_paused()  # its objects live until it ends
def plan(
    source: GridName,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Time a few images of each cell without finished runs: seconds to minutes a cell.",
        ),
    ] = False,
    all_cells: All = False,
    json: Json = False,
    out: Out = Path("runs"),
    device: Device = "auto",
    workers: Workers = None,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
) -> None:
    """Show the cells of a grid, their finished runs, and a forecast for the others.

    Times and memory are those of stored runs of the same cell, or (~) of the same method, backbone
    and data set with other options, or (≈, with --measure) of a few images. Writes nothing.

    Example: `ltbench grid plan digits/methods`
    """
    from ltbench.engine.late_progress import LateProgress
    from ltbench.engine.progress_bar import show_progress
    from ltbench.grid.forecast import Forecaster, prober
    from ltbench.grid.grid_file import read_grid
    from ltbench.grid.named_grids import find_grid
    from ltbench.grid.status import read_states
    from ltbench.registry.load import load_plugins

    registry = load_plugins()
    grid = read_grid(find_grid(source, registry), registry, data_root, LateProgress())
    cells = read_states(grid, out)
    if measure:
        with show_progress() as progress:
            forecaster = Forecaster(out, cells, prober(device, workers, out, progress.note))
            forecasts = [forecaster.of(cell) for cell in cells]
    else:
        forecasts = list(map(Forecaster(out, cells).of, cells))
    if json:
        from ltbench.cli.output import print_json

        print_json(_as_json(grid, cells, forecasts))
    else:
        _print(grid, cells, forecasts, all_cells=all_cells)


def _left(cell: CellState) -> int:
    return len(cell.runs) - cell.count("done") - cell.count("failed")


def _totals(cells: list[CellState], forecasts: list[Forecast | None]) -> dict[str, Any]:
    from ltbench.grid.status import STATES

    both = list(zip(cells, forecasts, strict=True))
    return {
        "cells": len(cells),
        "runs": sum(len(cell.runs) for cell in cells),
        **{state.replace(" ", "_"): sum(cell.count(state) for cell in cells) for state in STATES},
        "seconds_left": sum(_left(cell) * known.seconds for cell, known in both if known),
        "runs_of_unknown_time": sum(_left(cell) for cell, known in both if not known),
        "peak_memory_mb": max((known.memory_mb for known in forecasts if known), default=None),
    }


def _as_json(
    grid: Grid, cells: list[CellState], forecasts: list[Forecast | None]
) -> dict[str, Any]:
    return {
        "name": grid.name,
        "notes": list(grid.notes),
        "cells": [
            {
                "label": cell.cell.label,
                "runs": [
                    {
                        # Without its data set, a run has no valid hash.
                        "hash": None if state.run.missing else state.run.resolved.spec.hash,
                        "settings": dict(state.run.settings),
                        "state": state.state,
                        "error": state.error or None,
                    }
                    for state in cell.runs
                ],
                "forecast": asdict(forecast) if forecast else None,
            }
            for cell, forecast in zip(cells, forecasts, strict=True)
        ],
        "totals": _totals(cells, forecasts),
    }


def _print(
    grid: Grid, cells: list[CellState], forecasts: list[Forecast | None], *, all_cells: bool
) -> None:
    from rich.markup import escape

    from ltbench.cli.grid.show import first, print_more, print_notes
    from ltbench.grid.display import duration
    from ltbench.io.console import console
    from ltbench.io.fitted_table import FittedTable

    table = FittedTable("cell", elsewhere="--json has them")
    for column in ("runs", "done", "failed", "to do"):
        table.add_column(column, right=True)
    table.add_column("learned", right=True, drop=1)
    table.add_column("a run takes", right=True)
    table.add_column("memory", right=True, drop=2)
    for cell, known in first(list(zip(cells, forecasts, strict=True)), all_cells):
        mark = _MARKS[known.basis] if known else ""
        table.add_row(
            escape(cell.cell.label),
            str(len(cell.runs)),
            str(cell.count("done")),
            str(cell.count("failed")),
            str(_left(cell)),
            f"{known.learned:,} ({known.percent:.2f} %)" if known and known.learned else "-",
            f"{mark}{duration(known.seconds)}" if known else "-",
            f"{mark}{known.memory_mb:,.0f} MB" if known else "-",
        )
    out = console()
    out.print(f"\n[bold]{escape(grid.name)}[/]")
    out.print(table)
    print_more(len(cells), "cells", out, all_cells)
    totals = _totals(cells, forecasts)
    left, unknown = totals["to_do"] + totals["running"], totals["runs_of_unknown_time"]
    time = f"{duration(totals['seconds_left'])}, one after the other" if left > unknown else ""
    more = f"{unknown:,} of unknown time (--measure)" if unknown else ""
    out.print(
        f"\n{totals['runs']:,} runs in {totals['cells']:,} cells; {left:,} to do"
        + (f": {' and '.join(part for part in (time, more) if part)}" if left else ""),
        soft_wrap=True,
    )
    print_notes(grid, out, all_cells)
