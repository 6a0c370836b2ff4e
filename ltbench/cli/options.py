"""Options that several verbs share."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ltbench.analysis.stats.level import MAX_LEVEL, MIN_LEVEL
from ltbench.cli.completion import complete_name_of, complete_setting
from ltbench.config.defaults import DATA_ROOT_VARIABLE, DEFAULT_OUT
from ltbench.config.text import Text
from ltbench.errors import ConfigError, shortened, suggestion
from ltbench.specs import KINDS

MACHINE = "Machine (changes no result)"


def finite(value: float | None) -> float | None:
    """Returns a value after checking that it is finite: NaN is within every range.

    Raises:
        BadParameter: The value is NaN or infinite.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter("expected a number")
    return value


def _run_directory(named: Path) -> Path:
    """Returns the run directory that a path or the first digits of a hash name."""
    from ltbench.storage.run_lookup import find_run

    return named if os.path.lexists(named) else find_run(str(named), DEFAULT_OUT)


FinishedRun = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        help=f"Finished run: its directory, or the first digits of its hash below {DEFAULT_OUT}.",
        callback=_run_directory,
    ),
]
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
        help="Loader workers that decode image files; 0: the main process. Default: measured, so "
        "that they keep up with the model.",
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
        help="Size of the cache, which the runs share: features and activations of "
        "frozen encoders, decoded images; 0: no cache.",
        rich_help_panel=MACHINE,
    ),
]
CacheFolder = Annotated[
    Path | None,
    typer.Option(
        "--cache-dir",
        metavar="DIR",
        help="Folder of the cache, such as one on a disk of the machine that executes the run. "
        "Default: LTBENCH_CACHE_DIR of that machine, or OUT/.cache.",
        rich_help_panel=MACHINE,
        show_default=False,
    ),
]
DataRoot = Annotated[
    Path,
    typer.Option(
        help="Folder of the data sets.", envvar=DATA_ROOT_VARIABLE, rich_help_panel=MACHINE
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object, and nothing else, on stdout.")
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print tables for GitHub.")]
Latex = Annotated[bool, typer.Option("--latex", help="Print tables for papers (booktabs).")]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Exit with code 1 if a run directory was skipped."),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="KEY=VALUE",
        help="Keep the runs with this setting (method=lora, train.epochs=3, seed=1), tag "
        "(tag.paper=table_3) or beginning of the hash (hash=199f). Repeatable: a key that is given "
        "twice may have either value, and every key must fit.",
        show_default=False,
    ),
]
Level = Annotated[
    float,
    typer.Option(
        min=MIN_LEVEL, max=MAX_LEVEL, callback=finite, help="Level of intervals and tests."
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KIND.OPTION=VALUE",
        help="Set an option of a component (listed by `ltbench show KIND NAME`) or of the training "
        "(train.epochs, ...). Repeatable.",
        autocompletion=complete_setting,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="TOML file of settings, as `ltbench run --dry-run --toml` prints it; other options "
        "replace its settings.",
        show_default=False,
    ),
]
Trackers = Annotated[
    list[str] | None,
    typer.Option(
        "--tracker",
        metavar="NAME",
        help="Tracker that follows the run (see `ltbench list trackers`). Repeatable; set its "
        "options with --set tracker.NAME.OPTION=VALUE.",
        autocompletion=complete_name_of("tracker"),
        rich_help_panel=MACHINE,
        show_default=False,
    ),
]


def read_kinds(name: str | None) -> list[str]:
    """Returns the kind of a name, singular or plural; all kinds for None.

    Raises:
        ConfigError: No kind has that name.
    """
    kinds = [spec.kind for spec in KINDS.values() if name in (None, spec.kind, spec.plural)]
    if not kinds:
        plurals = [spec.plural for spec in KINDS.values()]
        raise ConfigError(
            f"there is no kind '{shortened(name or '')}'", hint=suggestion(name or "", plurals)
        )
    return kinds


def read_assignments(
    texts: Sequence[str] | None, flags: Mapping[str, Text] | None = None
) -> tuple[dict[str, Text], list[str]]:
    """Returns the settings of `KEY=VALUE` texts and of flags, and their faults.

    Args:
        texts: Values of `--set`.
        flags: Settings of other flags; setting a key twice to different values is a fault.
    """
    settings = dict(flags or {})
    faults = []
    for text in texts or ():
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not key:
            faults.append(
                f"--set {shortened(text)}: expected KIND.OPTION=VALUE, as in method.dim=8"
            )
        elif settings.get(key, value) != value:
            one, other = shortened(settings[key]), shortened(value)
            faults.append(f"{shortened(key)}: set to {one} and to {other}")
        else:
            settings[key] = Text(value)
    return settings, faults
