"""`ltbench runs diff`: settings and environment in which two stored runs differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ltbench.cli.options import Json
from ltbench.cli.runs.options import NAMED, Store
from ltbench.config.defaults import DEFAULT_OUT

if TYPE_CHECKING:
    from ltbench.analysis.comparison.run_diff import Difference


def diff(
    first: Annotated[str, typer.Argument(metavar="A", help=f"Run: {NAMED}.", show_default=False)],
    second: Annotated[str, typer.Argument(metavar="B", help="Other run.", show_default=False)],
    out: Store = DEFAULT_OUT,
    json: Json = False,
) -> None:
    """Show the settings and the environment in which two runs differ, finished or not.

    `ltbench compare` tests whether their accuracies differ.

    Example: `ltbench runs diff 199f 63ab`
    """
    from ltbench.analysis.comparison.run_diff import diff_environments, diff_settings
    from ltbench.cli.output import print_json
    from ltbench.io.console import console
    from ltbench.storage.run_directory import RunDirectory
    from ltbench.storage.run_lookup import find_run

    each = [RunDirectory(find_run(named, out)) for named in (first, second)]
    settings, environment = diff_settings(*each), diff_environments(*each)
    paths = [str(directory.path) for directory in each]
    if json:
        print_json({"runs": paths, "settings": settings, "environment": environment})
        return
    stdout = console()
    for name, path in zip("AB", paths, strict=True):
        stdout.print(f"{name}  {path}", markup=False, soft_wrap=True)
    _print("settings", settings)
    _print("environment", environment)


def _print(title: str, difference: Difference) -> None:
    from rich.markup import escape

    from ltbench.io.console import console
    from ltbench.io.fitted_table import FittedTable

    stdout = console()
    if not difference:
        stdout.print(f"\n[bold]{title}[/]: the same")
        return
    table = FittedTable(title, "A", "B")
    for key, (one, other) in difference.items():
        table.add_row(escape(key), escape(one), escape(other))
    stdout.print()
    stdout.print(table)
