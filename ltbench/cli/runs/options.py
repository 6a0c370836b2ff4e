"""Options and arguments that the verbs of `ltbench runs` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ltbench.cli.output_paths import output_folder

NAMED = "a run directory, or the first digits of its hash below --out"


def _checked(out: Path) -> Path:
    output_folder(out, "--out")
    return out


Store = Annotated[
    Path,
    typer.Option("--out", metavar="DIR", help="Folder of the run directories.", callback=_checked),
]
Run = Annotated[str, typer.Argument(metavar="RUN", help=f"Run: {NAMED}.", show_default=False)]
ManyRuns = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN...",
        help=f"Runs: each {NAMED}; or a folder above run directories.",
        show_default=False,
    ),
]
