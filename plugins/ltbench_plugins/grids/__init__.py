"""Built-in grids: the papers' tables in `paper`, and grids that run anywhere in `digits`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ltbench import hookimpl


@hookimpl
def ltbench_grid_folders() -> Iterable[Path]:
    """Returns the built-in grids."""
    return [Path(__file__).parent]
