"""Commands that try a new component."""

from __future__ import annotations

import shlex
from pathlib import Path

from ltbench.specs import ExecutorSpec

GRID = "grid.toml"
"""Name of the small grid in the package of a new executor."""


def trial_command(kind: str, name: str, folder: Path) -> str:
    """Returns the command that tries a component.

    >>> trial_command("loss", "my_loss", Path())
    'ltbench run --loss my_loss --epochs 1'
    >>> trial_command("executor", "my_queue", Path("my-queue"))
    'ltbench grid run my-queue/grid.toml --executor my_queue'

    Args:
        kind: Kind of the component.
        name: Name of the component.
        folder: Folder of the new package, relative to the current folder.
    """
    if kind == ExecutorSpec.kind:
        return f"ltbench grid run {shlex.quote(str(folder / GRID))} --executor {name}"
    return f"ltbench run --{kind} {name} --epochs 1"
