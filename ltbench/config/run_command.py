"""Command line of a run with given settings."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from ltbench.config.options import as_typed
from ltbench.config.text import Text
from ltbench.specs import Settings


def run_command(settings: Settings, options: Mapping[str, str] | None = None) -> str:
    """Returns the command of a run.

    >>> run_command({"method": "mine", "train.lr": 0.01, "data_seed": 1, "method.dim": 4})
    'ltbench run --method mine --lr 0.01 --data-seed 1 --set method.dim=4'

    Args:
        settings: Settings by dotted key.
        options: Other options of the command by name, such as "--out".
    """
    words = [word for key, value in settings.items() for word in _option(key, typed(value))]
    words += [word for name, value in (options or {}).items() for word in (name, value)]
    return shlex.join(["ltbench", "run", *words])


def typed(value: Any) -> str:
    """Returns a value as a user types it."""
    return str(value) if isinstance(value, Text) else as_typed(value)


def _option(key: str, value: str) -> Iterator[str]:
    flag = key.removeprefix("train.")
    if "." in flag:
        yield from ("--set", f"{key}={value}")
    else:
        yield from (f"--{flag.replace('_', '-')}", value)
