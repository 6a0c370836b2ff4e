"""Command lines of real verbs and options with odd values."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.attack.attack import Attack
from benchmarks.attack.command import ltbench
from benchmarks.attack.outcome import graceful
from benchmarks.attack.stores import finished_store

_ODD_VALUES = (
    *("", " ", "-", "--", "0", "-1", "1e400", "nan", "inf", "-inf", "9" * 5_000, "0x10", "1_000"),
    *("none", "None", "true", "[]", "{}", "'", '"', "[" * 2_000, "{a=" * 500, "=", "=1", "a=b=c"),
    *("..", "/", "/dev/null", "/dev/full", "/proc/self/mem", "a" * 300, "a/" * 3_000, "~", "$HOME"),
    *("\x1b[31mred", "\u202eabc", "a\nb", "é", "名", "\udcff", "*", "?", "%s", "{0}", "[red]"),
    *("2024-01-01", "12:00", "lift_plus", "digits_lt", "cpu", "cuda:99", "runs", "runs/digits_lt"),
)
_LONG_VERBS = {("grid", "run"), ("run",)}  # a run that is well-formed takes seconds: plan it only


def _try_command_line(rng: random.Random, folder: Path) -> None:
    finished_store(folder, 1)
    path, options = rng.choice(list(_verbs().items()))
    given: list[str] = []
    for _ in range(rng.randint(0, 3)):
        flag = rng.choice(options)
        given += [flag, rng.choice(_ODD_VALUES)] if rng.random() < 0.8 else [flag]
    given += [rng.choice(_ODD_VALUES) for _ in range(rng.choice((0, 1, 1, 2)))]
    rng.shuffle(given)
    if path in _LONG_VERBS:
        given.append("--dry-run" if path == ("run",) else "--no-such-option")
    graceful(ltbench(*path, *given, cwd=folder))


@cache
def _verbs() -> dict[tuple[str, ...], list[str]]:
    """Returns the options of each verb."""
    import typer

    from ltbench.cli.app import app

    found: dict[tuple[str, ...], list[str]] = {}

    def visit(command: Any, path: tuple[str, ...]) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            visit(inner, (*path, name))
        if not getattr(command, "commands", None):
            found[path] = [flag for one in command.params for flag in one.opts if flag[0] == "-"]

    visit(typer.main.get_command(app), ())
    for flags in found.values():
        flags.append("--help")
    return found


ATTACKS = (
    Attack(
        "command_line",
        "Verbs with odd values of their options and arguments: help, a result or one clear error",
        _try_command_line,
    ),
)
