"""`ltbench grid logs`: the output of a run's job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ltbench.cli.grid.options import Out

if TYPE_CHECKING:
    from ltbench.jobs import JobReport

_LINE_BYTES = 400  # read for each line that is shown


def logs(
    run: Annotated[
        str,
        typer.Argument(
            help="Hash of a run, its beginning, or a run directory.",
            metavar="RUN",
            show_default=False,
        ),
    ],
    lines: Annotated[int, typer.Option(min=1, help="Number of lines, from the end.")] = 20,
    out: Out = Path("runs"),
) -> None:
    """Show where the job of a run is, and the end of its output.

    Most runs print nothing, and leave no output.

    Example: `ltbench grid logs 199f5f1adf86`
    """
    from rich.markup import escape

    from ltbench.errors import DataError
    from ltbench.grid.queues import Queues, log_of, logged
    from ltbench.io.console import console
    from ltbench.registry.load import load_plugins

    queues = Queues.of(out, load_plugins())
    start = Path(run).name
    found = [name for name in {*logged(out), *queues.jobs} if name.startswith(start)]
    if not found:
        raise DataError(
            f"{start}: no job in {out} waits, runs, or has printed anything",
            hint="see hashes, states and errors with `ltbench grid status GRID --json`",
        )
    if len(found) > 1:
        some = ", ".join(sorted(found)[:5])
        raise DataError(
            f"jobs of {start} in {out}: expected one of {some}, got {len(found)}",
            hint="give more of the hash",
        )
    stdout = console()
    for fault in queues.faults:
        stdout.print(f"[yellow]{escape(fault)}[/]", soft_wrap=True)
    job = queues.jobs.get(found[0])
    path = (job.log if job is not None else None) or log_of(out, found[0])
    stdout.print(f"[bold]{found[0]}[/] {escape(_where(job))}", soft_wrap=True)
    stdout.print(f"[dim]{escape(str(path))}[/]", soft_wrap=True)
    for line in _last(path, lines):
        stdout.print(line, soft_wrap=True, markup=False, highlight=False)


def _where(job: JobReport | None) -> str:
    from ltbench.cli.grid.jobs import expected

    if job is None:
        return "is not in the queue"
    parts = [f"is {job.state}", f"job {job.id}", job.place or job.reason, expected(job, None)]
    return ", ".join(part for part in parts if part)


def _last(path: Path, lines: int) -> list[str]:
    from ltbench.io.text import terminal_text

    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - lines * _LINE_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ["there is no output yet"]
    return terminal_text(text).splitlines()[-lines:] or ["there is no output yet"]
