"""The command `ltbench`: one module a verb. Torch is imported by the verbs that need it, late."""

from __future__ import annotations

import os
import sys

from ltbench.errors import Interrupted, LTBenchError


def main() -> None:
    """Runs the command and turns errors into two lines on stderr and an exit code."""
    # Threads that wait for each other sleep. Spinning, as OpenMP does by default, they slow a run
    # down thirty-fold as soon as another program needs one of the cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from ltbench.cli.app import app

    try:
        app()
    except LTBenchError as error:
        _fail(error)
    except KeyboardInterrupt:
        _fail(Interrupted("interrupted"))


def _fail(error: LTBenchError) -> None:
    from ltbench.cli.app import debugging

    if debugging():
        raise error
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"[bold red]error:[/] {escape(error.message)}")
    if error.hint:
        console.print(f"[bold cyan]hint:[/] {escape(error.hint)}")
    sys.exit(error.exit_code)
