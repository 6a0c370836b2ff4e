"""`ltbench reproduce`: equivalence tests of stored runs and published numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ltbench.cli.options import Json, Strict, Where, finite
from ltbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from ltbench.analysis.comparison.published_targets import TargetMatches
    from ltbench.registry.registry import Registry
    from ltbench.storage.results import Cell

MAX_LISTED = 10


def reproduce(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUNS...", help="Run directories, or folders that contain some."),
    ],
    metric: Annotated[
        Literal["accuracy", "mean_class", "many", "medium", "few"],
        typer.Option(
            metavar="METRIC",
            help="Accuracy to compare with the published one: accuracy, mean_class, many, medium "
            "or few.",
        ),
    ] = "accuracy",
    margin: Annotated[
        float,
        typer.Option(help="Largest difference that counts as equivalent.", metavar="POINTS"),
    ] = 0.5,
    published: Annotated[
        float | None,
        typer.Option(
            help="Published number, where no plugin has it: RUNS may differ only in their seed.",
            metavar="PERCENT",
            min=0,
            max=100,
            callback=finite,
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Source of the number of --published.", metavar="TEXT")
    ] = None,
    level: Annotated[
        float,
        typer.Option(min=0.6, max=0.9999, callback=finite, help="Confidence level of the tests."),
    ] = 0.95,
    where: Where = None,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Test whether stored runs reproduce published numbers, within a margin.

    For every number that a plugin has for the choices of these runs, two one-sided t tests over the
    seeds (TOST) test whether the difference is within the margin. A small p value shows equivalence
    here; a large p value of `compare` does not. See `ltbench docs statistics`.

    Example: `ltbench reproduce runs/imagenet_lt/clip_vit_b16/lift --margin 0.5`

    Example: `ltbench reproduce runs/mine --published 61.2 --source "Doe et al., 2025, Table 3"`

    Exit code 0 for every verdict, which --json reports; 2 where no number is published for the
    runs.
    """
    from ltbench.analysis.comparison import reproduction
    from ltbench.analysis.comparison.published_targets import Target, TargetMatches
    from ltbench.cli.reproduce_output import print_reproductions
    from ltbench.cli.stored_runs import end_strictly, read_comparable

    if not 0 < margin <= 100:
        raise ConfigError(f"--margin: expected percent points above 0, got {margin:g}")
    if source is not None and published is None:
        raise ConfigError("--source: expected --published as well")
    found = read_comparable(runs, where)
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
    done = reproduction.compare_with_published(matches.pairs, metric, margin, level=level)
    print_reproductions(done, matches, found.skipped, json=json)
    end_strictly(found.skipped, strict)


def _only(cells: Sequence[Cell]) -> Cell:
    """Returns the cell to compare with a given number.

    Raises:
        ConfigError: There are several cells.
    """
    from ltbench.analysis.comparison.config_diff import diff_cells, format_diff

    if len(cells) > 1:
        raise ConfigError(
            "--published: expected runs that differ only in their seed, but they differ in "
            + format_diff(diff_cells(cells)),
            hint="give the runs of one cell",
        )
    return cells[0]


def _published_about(cells: Sequence[Cell], metric: str) -> TargetMatches:
    """Returns the published numbers of the cells, and lists unusable ones on stderr.

    Raises:
        ConfigError: No number is published for any of the cells.
    """
    from ltbench.analysis.comparison.published_targets import match_targets, resolve_targets
    from ltbench.io.console import console
    from ltbench.registry.load import load_plugins

    registry = load_plugins()
    known, faults = resolve_targets(registry, metric)
    errors = console(stderr=True)
    for fault in faults:
        errors.print(f"skipped {fault}", markup=False, soft_wrap=True)
    matches = match_targets(cells, known)
    if not matches.pairs:
        raise _nothing(matches, metric, registry)
    return matches


def _nothing(matches: TargetMatches, metric: str, registry: Registry) -> ConfigError:
    from ltbench.analysis.comparison.reproduction_text import describe_close_target
    from ltbench.metric_names import ACCURACIES

    close = matches.close[:MAX_LISTED]
    listed = "".join(f"\n  - {describe_close_target(one)}" for one in close)
    more = len(matches.close) - len(close)
    failed = "".join(
        f"; plugin {failure.plugin.name} failed to load: {failure.error}"
        for failure in registry.failures
    )
    return ConfigError(
        f"no {ACCURACIES[metric]} accuracy is published for these runs{listed}"
        + (f"\n  - and {more} more" if more else ""),
        hint="give the number for the runs of one cell: "
        f"ltbench reproduce RUNS --published PERCENT --source TEXT{failed}",
    )
