"""Options that several verbs share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ltbench.config.defaults import DATA_ROOT_VARIABLE
from ltbench.config.text import Text
from ltbench.errors import ConfigError, suggestion
from ltbench.specs import KINDS

MACHINE = "Machine (changes no result)"


def finite(value: float | None) -> float | None:
    """Refuses NaN, which is within every range.

    Raises:
        BadParameter: It is no number.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter("expected a number")
    return value


Device = Annotated[
    str,
    typer.Option(
        help="auto (the first GPU, or the CPU), cpu, cuda, cuda:1.", rich_help_panel=MACHINE
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Processes that decode image files; 0: none besides this one. Default: as many as "
        "keep up with the model, which is measured.",
        rich_help_panel=MACHINE,
        show_default=False,
    ),
]
CacheSize = Annotated[
    float,
    typer.Option(
        "--cache",
        min=0,
        metavar="GB",
        callback=finite,
        help="Disk space in OUT/.cache for what is computed once for all runs there, such as "
        "features of frozen encoders; 0: none.",
        rich_help_panel=MACHINE,
    ),
]
DataRoot = Annotated[
    Path,
    typer.Option(
        help="Folder that holds the data sets.", envvar=DATA_ROOT_VARIABLE, rich_help_panel=MACHINE
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Exit with 1 when a run directory had to be skipped."),
]


Level = Annotated[
    float,
    typer.Option(min=0.5, max=0.9999, callback=finite, help="Confidence of intervals and tests."),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KIND.OPTION=VALUE",
        help="Set an option of a component (`ltbench show KIND NAME` lists them) or of the "
        "training (train.epochs, ...). Repeatable.",
    ),
]
Trackers = Annotated[
    list[str] | None,
    typer.Option(
        "--tracker",
        metavar="NAME",
        help="Who is told how a run gets on (see `ltbench list trackers`). Repeatable; "
        "--set tracker.NAME.OPTION=VALUE sets options.",
        rich_help_panel=MACHINE,
        show_default=False,
    ),
]


def read_kinds(name: str | None) -> list[str]:
    """Returns the kind of a name, singular or plural; all kinds for None.

    Raises:
        ConfigError: There is no such kind.
    """
    kinds = [spec.kind for spec in KINDS.values() if name in (None, spec.kind, spec.plural)]
    if not kinds:
        plurals = [spec.plural for spec in KINDS.values()]
        raise ConfigError(f"there is no kind '{name}'", hint=suggestion(name or "", plurals))
    return kinds


def read_assignments(
    texts: Sequence[str] | None, flags: Mapping[str, Text] | None = None
) -> tuple[dict[str, Text], list[str]]:
    """Returns `KEY=VALUE` texts together with the flags as settings, and what is wrong with them.

    Args:
        texts: As given to `--set`.
        flags: What was set by flags of its own: nothing may be set twice to different values.
    """
    settings = dict(flags or {})
    faults = []
    for text in texts or ():
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not key:
            faults.append(f"--set {text}: expected KIND.OPTION=VALUE, as in method.dim=8")
        elif settings.get(key, value) != value:
            faults.append(f"{key}: set to {settings[key]} and to {value}")
        else:
            settings[key] = Text(value)
    return settings, faults
