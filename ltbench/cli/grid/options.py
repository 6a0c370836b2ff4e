"""Options that the verbs of `ltbench grid` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ltbench.cli.completion import complete_grid
from ltbench.cli.output_paths import output_folder

GridName = Annotated[
    str,
    typer.Argument(
        help="Grid file, or name of a grid (see `ltbench grid list`).",
        metavar="GRID",
        autocompletion=complete_grid,
        show_default=False,
    ),
]
All = Annotated[
    bool, typer.Option("--all", help="Show every cell and error, instead of the first 20 of each.")
]


def _checked(out: Path) -> Path:
    output_folder(out, "--out")
    return out


Out = Annotated[Path, typer.Option(help="Folder of the run directories.", callback=_checked)]
