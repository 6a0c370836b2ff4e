"""`ltbench reproduce`: do measured seeds agree with a published number?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ltbench.cli.options import Json, Strict, finite
from ltbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from ltbench.analysis.comparison.published_targets import TargetMatches
    from ltbench.registry.registry import Registry
    from ltbench.storage.results import Cell

_LISTED = 10


def reproduce(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUNS...", help="Run directories, or folders that hold some."),
    ],
    metric: Annotated[
        Literal["accuracy", "mean_class", "many", "medium", "few"],
        typer.Option(help="Accuracy to set against the published one."),
    ] = "accuracy",
    margin: Annotated[
        float,
        typer.Option(help="Largest difference that does not matter.", metavar="POINTS"),
    ] = 0.5,
    published: Annotated[
        float | None,
        typer.Option(
            help="The number, where no plugin knows it: RUNS must differ in their seed alone.",
            metavar="PERCENT",
            min=0,
            max=100,
            callback=finite,
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Where --published is from.", metavar="TEXT")
    ] = None,
    level: Annotated[
        float,
        typer.Option(min=0.6, max=0.9999, callback=finite, help="Confidence of the tests."),
    ] = 0.95,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Test whether stored runs reproduce published numbers, within a margin.

    Takes every number that a plugin knows of the very choices of these runs, seeds apart, and tests
    by two one-sided t tests over the seeds (TOST) whether it is within the margin. A large p value
    of `compare` is no sign of equality; a small one here is. `docs/statistics.md` says more.

    Example: `ltbench reproduce runs/imagenet_lt/clip_vit_b16/lift --margin 0.5`

    Example: `ltbench reproduce runs/mine --published 61.2 --source "Doe et al., 2025, Table 3"`

    Exit code 0 whatever is found, for a script to read with --json; 2 where nothing is published
    about any of the runs.
    """
    from ltbench.analysis.comparison import reproduction
    from ltbench.analysis.comparison.published_targets import Target, TargetMatches
    from ltbench.cli.reproduce_output import print_reproductions
    from ltbench.cli.stored_runs import end_strictly, read_runs

    if not 0 < margin <= 100:
        raise ConfigError(f"--margin: expected percent points above 0, got {margin:g}")
    if source is not None and published is None:
        raise ConfigError("--source: without --published there is no number that it could be of")
    found = read_runs(runs)
    cells = found.cells()
    if not cells:
        raise DataError(
            "there is no finished run in " + ", ".join(map(str, runs)),
            hint="finish it with ltbench run, or give another folder",
        )
    if published is not None:
        given = Target(published, source or "as given")
        matches = TargetMatches(((_only(cells), given),), (), ())
    else:
        matches = _published_about(cells, metric)
    done = reproduction.reproduce(matches.pairs, metric, margin, level=level)
    print_reproductions(done, matches, found.skipped, json=json)
    end_strictly(found.skipped, strict)


def _only(cells: Sequence[Cell]) -> Cell:
    """The cell to set against a number that was given.

    Raises:
        ConfigError: There are several.
    """
    from ltbench.analysis.comparison.config_diff import diff_cells, format_diff

    if len(cells) > 1:
        raise ConfigError(
            "--published is one number, and these runs differ in more than their seed: "
            + format_diff(diff_cells(cells)),
            hint="give the runs of one choice",
        )
    return cells[0]


def _published_about(cells: Sequence[Cell], metric: str) -> TargetMatches:
    """Finds what plugins know of the cells, and tells on stderr what cannot be used of it.

    Raises:
        ConfigError: Nothing is about any of them.
    """
    from rich.console import Console

    from ltbench.analysis.comparison.published_targets import match_targets, resolve_targets
    from ltbench.registry.load import load_plugins

    registry = load_plugins()
    known, faults = resolve_targets(registry, metric)
    console = Console(stderr=True, highlight=False)
    for fault in faults:
        console.print(f"skipped {fault}", markup=False, soft_wrap=True)
    matches = match_targets(cells, known)
    if not matches.pairs:
        raise _nothing(matches, metric, registry)
    return matches


def _nothing(matches: TargetMatches, metric: str, registry: Registry) -> ConfigError:
    from ltbench.analysis.comparison.reproduction_text import describe_close_target
    from ltbench.metric_names import ACCURACIES

    close = matches.close[:_LISTED]
    listed = "".join(f"\n  - {describe_close_target(one)}" for one in close)
    more = len(matches.close) - len(close)
    failed = "".join(
        f"; plugin {failure.plugin.name} failed to load: {failure.error}"
        for failure in registry.failures
    )
    return ConfigError(
        f"no published {ACCURACIES[metric]} accuracy is about these runs{listed}"
        + (f"\n  - and {more} more" if more else ""),
        hint="give the number yourself, for runs of one choice: "
        f"ltbench reproduce RUNS --published PERCENT --source TEXT{failed}",
    )
