"""Application: global options and the groups of verbs."""

from __future__ import annotations

from typing import Annotated

import typer

from ltbench import __version__
from ltbench.cli.epilogs import epilog
from ltbench.cli.verbs import MARKUP, late_group

_GROUPS = {
    "data": "List, create, prepare and verify data sets.",
    "runs": "List, tag, remove and share stored runs.",
    "grid": "Plan and execute many runs from one file.",
    "config": "Show and change your configuration file, which describes a cluster for all grids.",
    "plugin": "List, check and create plugins.",
    "board": "Build a public leaderboard from packed runs.",
}

app = typer.Typer(
    name="ltbench",
    cls=late_group(),
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=MARKUP,
)
# typer's error for a wrong command line: depending on its version, of typer or of click.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]
_debug = False


def debugging() -> bool:
    """Returns whether errors are shown with their traceback."""
    return _debug


def _version(requested: bool) -> None:
    if requested:
        typer.echo(f"ltbench {__version__}")
        raise typer.Exit


@app.callback()
def root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Benchmark methods of long-tail recognition with foundation models.

    Start with `ltbench run`: LIFT+ on a data set and a backbone that come with ltbench.

    Exit codes: 0 success, 1 a run or a check failed, 2 wrong usage or configuration, or a named
    path does not exist, 3 a plugin failed, 4 data or weights are missing or corrupt, 130
    interrupted.

    Documentation: `ltbench docs`.
    """
    global _debug
    _debug = debug


for name, help_text in _GROUPS.items():
    group = typer.Typer(
        cls=late_group(name), no_args_is_help=True, epilog=epilog(name), help=help_text
    )
    app.add_typer(group, name=name)
