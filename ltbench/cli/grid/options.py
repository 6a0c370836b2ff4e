"""Options that the verbs of `ltbench grid` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

GridFile = Annotated[
    Path, typer.Argument(help="Grid file (see docs/grids.md).", metavar="FILE", show_default=False)
]
Out = Annotated[Path, typer.Option(help="Folder of the run directories.")]
