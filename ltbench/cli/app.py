"""Application: global options and the verbs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Any

import typer

from ltbench import __version__
from ltbench.cli.board.build import build
from ltbench.cli.board.check import check
from ltbench.cli.cache import cache
from ltbench.cli.compare import compare
from ltbench.cli.config.path import path as config_path
from ltbench.cli.config.set import set_option
from ltbench.cli.config.show import show_config
from ltbench.cli.config.unset import unset
from ltbench.cli.data.list import list_datasets
from ltbench.cli.data.new import new as new_dataset
from ltbench.cli.data.prepare import prepare
from ltbench.cli.data.verify import verify
from ltbench.cli.diagnose import diagnose
from ltbench.cli.docs import docs
from ltbench.cli.doctor import doctor
from ltbench.cli.epilogs import epilog
from ltbench.cli.errors import errors
from ltbench.cli.evaluate import evaluate
from ltbench.cli.export import export
from ltbench.cli.grid.cancel import cancel
from ltbench.cli.grid.list import list_grids
from ltbench.cli.grid.logs import logs
from ltbench.cli.grid.plan import plan
from ltbench.cli.grid.run import run as run_grid
from ltbench.cli.grid.status import status
from ltbench.cli.leaderboard import leaderboard
from ltbench.cli.list import list_components
from ltbench.cli.one_task import expect_one_task
from ltbench.cli.plugin.check import check_plugins
from ltbench.cli.plugin.list import list_plugins
from ltbench.cli.plugin.new import new
from ltbench.cli.predict import predict
from ltbench.cli.report import report
from ltbench.cli.reproduce import reproduce
from ltbench.cli.run import run
from ltbench.cli.runs.add import add
from ltbench.cli.runs.diff import diff
from ltbench.cli.runs.list import list_runs
from ltbench.cli.runs.pack import pack
from ltbench.cli.runs.rm import rm
from ltbench.cli.runs.show import show_run
from ltbench.cli.runs.tag import tag
from ltbench.cli.show import show
from ltbench.cli.tune import tune
from ltbench.io import interrupts

app = typer.Typer(
    name="ltbench",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
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


def _interruptible(verb: Callable[..., None]) -> Callable[..., None]:
    """Returns a verb that raises Interrupted, where typer would swallow a KeyboardInterrupt."""

    @functools.wraps(verb)
    def wrapped(**arguments: Any) -> None:
        if verb in _COMPUTING:
            expect_one_task()
        with interrupts.named():
            verb(**arguments)

    return wrapped


_COMPUTING = (run, run_grid, tune, evaluate, predict, diagnose)
_VERBS: dict[str, Callable[..., None]] = {
    "run": run,
    "tune": tune,
    "eval": evaluate,
    "errors": errors,
    "diagnose": diagnose,
    "predict": predict,
    "export": export,
    "compare": compare,
    "reproduce": reproduce,
    "leaderboard": leaderboard,
    "report": report,
    "list": list_components,
    "show": show,
    "cache": cache,
    "doctor": doctor,
    "docs": docs,
}
_RUNS_VERBS: dict[str, Callable[..., None]] = {
    "list": list_runs,
    "show": show_run,
    "diff": diff,
    "tag": tag,
    "rm": rm,
    "pack": pack,
    "add": add,
}
_DATA_VERBS: dict[str, Callable[..., None]] = {
    "list": list_datasets,
    "new": new_dataset,
    "prepare": prepare,
    "verify": verify,
}
_GRID_VERBS: dict[str, Callable[..., None]] = {
    "list": list_grids,
    "plan": plan,
    "run": run_grid,
    "status": status,
    "logs": logs,
    "cancel": cancel,
}
_CONFIG_VERBS: dict[str, Callable[..., None]] = {
    "show": show_config,
    "set": set_option,
    "unset": unset,
    "path": config_path,
}
_PLUGIN_VERBS: dict[str, Callable[..., None]] = {
    "list": list_plugins,
    "check": check_plugins,
    "new": new,
}
_BOARD_VERBS: dict[str, Callable[..., None]] = {
    "build": build,
    "check": check,
}
for name, verb in _VERBS.items():
    app.command(name, epilog=epilog(name))(_interruptible(verb))
data = typer.Typer(
    no_args_is_help=True, epilog=epilog("data"), help="List, create, prepare and verify data sets."
)
for name, verb in _DATA_VERBS.items():
    data.command(name, epilog=epilog(f"data {name}"))(_interruptible(verb))
app.add_typer(data, name="data")
runs = typer.Typer(
    no_args_is_help=True, epilog=epilog("runs"), help="List, tag, remove and share stored runs."
)
for name, verb in _RUNS_VERBS.items():
    runs.command(name, epilog=epilog("runs"))(_interruptible(verb))
app.add_typer(runs, name="runs")
grid = typer.Typer(
    no_args_is_help=True, epilog=epilog("grid"), help="Plan and execute many runs from one file."
)
for name, verb in _GRID_VERBS.items():
    grid.command(name, epilog=epilog("grid"))(_interruptible(verb))
app.add_typer(grid, name="grid")
config = typer.Typer(
    no_args_is_help=True,
    epilog=epilog("config"),
    help="Show and change your configuration file, which describes a cluster for all grids.",
)
for name, verb in _CONFIG_VERBS.items():
    config.command(name, epilog=epilog("config"))(_interruptible(verb))
app.add_typer(config, name="config")
plugin = typer.Typer(
    no_args_is_help=True, epilog=epilog("plugin"), help="List, check and create plugins."
)
for name, verb in _PLUGIN_VERBS.items():
    plugin.command(name, epilog=epilog("plugin"))(_interruptible(verb))
app.add_typer(plugin, name="plugin")
board = typer.Typer(
    no_args_is_help=True,
    epilog=epilog("board"),
    help="Build a public leaderboard from packed runs.",
)
for name, verb in _BOARD_VERBS.items():
    board.command(name, epilog=epilog("board"))(_interruptible(verb))
app.add_typer(board, name="board")
