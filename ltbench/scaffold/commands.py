"""How a new component is tried."""

from __future__ import annotations

import shlex
from pathlib import Path

from ltbench.specs import ExecutorSpec

GRID = "grid.toml"
"""The grid that comes with a new executor, to try it with."""


def trial_command(kind: str, name: str, folder: Path) -> str:
    """Returns the command that tries a component.

    >>> trial_command("loss", "my_loss", Path())
    'ltbench run --loss my_loss --epochs 1'
    >>> trial_command("executor", "my_queue", Path("my-queue"))
    'ltbench grid run my-queue/grid.toml --executor my_queue'

    Args:
        kind: Of the component.
        name: Of the component.
        folder: The new package, as seen from where the command is typed.
    """
    if kind == ExecutorSpec.kind:
        return f"ltbench grid run {shlex.quote(str(folder / GRID))} --executor {name}"
    return f"ltbench run --{kind} {name} --epochs 1"
