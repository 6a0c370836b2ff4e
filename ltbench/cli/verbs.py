"""Verbs of the command line, and their modules, which are imported when they are needed.

A command imports and describes one verb; help and completion all of those that they show.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

from ltbench.cli.epilogs import epilog
from ltbench.cli.one_task import expect_one_task
from ltbench.io import interrupts

MARKUP: Final = "markdown"

VERBS = {
    "run": "run:run",
    "tune": "tune:tune",
    "eval": "evaluate:evaluate",
    "errors": "errors:errors",
    "diagnose": "diagnose:diagnose",
    "predict": "predict:predict",
    "export": "export:export",
    "compare": "compare:compare",
    "reproduce": "reproduce:reproduce",
    "leaderboard": "leaderboard:leaderboard",
    "report": "report:report",
    "list": "list:list_components",
    "show": "show:show",
    "cache": "cache:cache",
    "doctor": "doctor:doctor",
    "docs": "docs:docs",
    "data list": "data.list:list_datasets",
    "data new": "data.new:new",
    "data prepare": "data.prepare:prepare",
    "data verify": "data.verify:verify",
    "runs list": "runs.list:list_runs",
    "runs show": "runs.show:show_run",
    "runs diff": "runs.diff:diff",
    "runs tag": "runs.tag:tag",
    "runs rm": "runs.rm:rm",
    "runs pack": "runs.pack:pack",
    "runs add": "runs.add:add",
    "grid list": "grid.list:list_grids",
    "grid plan": "grid.plan:plan",
    "grid run": "grid.run:run",
    "grid status": "grid.status:status",
    "grid logs": "grid.logs:logs",
    "grid cancel": "grid.cancel:cancel",
    "config show": "config.show:show_config",
    "config set": "config.set:set_option",
    "config unset": "config.unset:unset",
    "config path": "config.path:path",
    "plugin list": "plugin.list:list_plugins",
    "plugin check": "plugin.check:check_plugins",
    "plugin new": "plugin.new:new",
    "board build": "board.build:build",
    "board check": "board.check:check",
}
"""Module and function of each verb, in the order of the help."""

_COMPUTING = {"run", "tune", "eval", "diagnose", "predict", "grid run"}


class Verbs(Mapping[str, Any]):
    """Commands of typer by name, each made at its first use.

    Args:
        group: Name of the group of verbs; empty for the verbs of `ltbench` itself.
        groups: Groups of verbs that follow them.
    """

    def __init__(self, group: str, groups: Mapping[str, Any]) -> None:
        self._verbs = {verb.split()[-1]: verb for verb in VERBS if _group(verb) == group}
        self._groups = groups
        self._made: dict[str, Any] = {}

    def __iter__(self) -> Iterator[str]:
        yield from self._verbs
        yield from self._groups

    def __len__(self) -> int:
        return len(self._verbs) + len(self._groups)

    def __getitem__(self, name: str) -> Any:
        if name in self._groups:
            return self._groups[name]
        if name not in self._made:
            self._made[name] = _command(name, self._verbs[name])
        return self._made[name]


def late_group(name: str = "") -> type[TyperGroup]:
    """Returns typer's class for a group of verbs that are made when they are needed."""

    class LateGroup(TyperGroup):
        def __init__(self, *, commands: dict[str, Any], **settings: Any) -> None:
            super().__init__(**settings)
            self.commands = Verbs(name, commands)  # type: ignore[assignment]

    return LateGroup


def _group(verb: str) -> str:
    return verb.rpartition(" ")[0]


def _command(name: str, verb: str) -> Any:
    """Returns typer's command of a verb."""
    module, _, function = VERBS[verb].partition(":")
    called = getattr(import_module(f"ltbench.cli.{module}"), function)
    alone = typer.Typer(add_completion=False, rich_markup_mode=MARKUP)
    alone.command(name, epilog=epilog(verb))(_interruptible(called, verb in _COMPUTING))
    return typer.main.get_command(alone)


def _interruptible(verb: Callable[..., None], computing: bool) -> Callable[..., None]:
    """Returns a verb that raises Interrupted, where typer would swallow a KeyboardInterrupt."""

    @functools.wraps(verb)
    def wrapped(**arguments: Any) -> None:
        gc.enable()
        if computing:
            expect_one_task()
        with interrupts.named():
            verb(**arguments)

    return wrapped
