"""`ltbench compare`: statistical tests of the differences between stored runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ltbench.cli.options import Json, Level, Strict
from ltbench.errors import ConfigError

if TYPE_CHECKING:
    from ltbench.analysis.comparison.pairs import PairComparison
    from ltbench.storage.results import Cell, Found


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="A B ...",
            help="Run directories, or folders whose runs differ only in their seed.",
        ),
    ],
    metric: Annotated[
        Literal["all", "accuracy", "mean_class", "many", "medium", "few"],
        typer.Option(help="Accuracy to compare."),
    ] = "all",
    all_pairs: Annotated[
        bool,
        typer.Option(
            "--all-pairs", help="Compare every pair, instead of the first with each other."
        ),
    ] = False,
    correction: Annotated[
        Literal["holm", "bh", "none"],
        typer.Option(help="Correction of p values for the comparisons of this command."),
    ] = "holm",
    level: Level = 0.95,
    rope: Annotated[
        float | None,
        typer.Option(
            help="Half width of the region of practical equivalence: adds the Bayesian signed-rank "
            "test.",
            metavar="POINTS",
        ),
    ] = None,
    inference: Annotated[
        str | None,
        typer.Option(
            help="Compare the predictions of these test views, stored by `ltbench eval`, instead "
            "of each run's own.",
            metavar="NAME",
        ),
    ] = None,
    across_datasets: Annotated[
        bool,
        typer.Option(
            "--across-datasets",
            help="Compare all methods below the folders over data sets, each as one observation: "
            "ranks, Friedman, Nemenyi, Wilcoxon.",
        ),
    ] = False,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Test the differences between stored runs on the same test images.

    With several common seeds, by a hierarchical bootstrap over seeds and images; with one, by
    paired tests on the images. `docs/statistics.md` describes each number.

    Example: `ltbench compare runs/digits_lt/clip_tiny/lift_plus runs/digits_lt/clip_tiny/full`
    """
    from ltbench.analysis.comparison.across_datasets import ScoreTable, compare_across
    from ltbench.analysis.comparison.pairs import METRICS, correct_pairs
    from ltbench.cli import compare_output as compared
    from ltbench.cli.stored_runs import end_strictly, read_runs

    if rope is not None and not rope > 0:
        raise ConfigError("--rope: expected more than 0 percent points")
    metrics = METRICS if metric == "all" else (metric,)
    if across_datasets:
        if inference is not None:
            raise ConfigError("--inference: --across-datasets compares the stored results")
        found = read_runs(runs)
        grid = ScoreTable.from_cells(found.cells())
        # A shot group that most data sets lack is an error only where --metric names it.
        shared = [name for name in metrics if len(grid.scores(name)) > 1]
        across = [
            compare_across(grid, name, correction=correction, level=level, rope=rope)
            for name in shared or metrics
        ]
        compared.print_across(across, found.skipped, correction, level, json=json)
        end_strictly(found.skipped, strict)
        return
    if len(runs) < 2:
        raise ConfigError(
            "expected at least two paths to compare, got one",
            hint="give another run directory, or a folder of runs",
        )
    each = [read_runs([path]) for path in runs]
    skipped = [item for found in each for item in found.skipped]
    cells = _cells(each, runs)
    pairs = _compared(cells, metrics, level, rope, inference, all_pairs=all_pairs)
    done, comparisons = correct_pairs(pairs, correction)
    options = compared.CompareOptions(correction, comparisons, level, rope)
    compared.print_pairs(done, skipped, options, json=json)
    end_strictly(skipped, strict)


def _cells(each: Sequence[Found], paths: Sequence[Path]) -> list[Cell]:
    """Returns the cell of each path.

    Raises:
        ConfigError: A path has several cells, or two paths have the same cell.
        DataError: A path has no finished run.
    """
    from ltbench.analysis.comparison.seed_predictions import single_cell

    cells = [single_cell(found.runs, path) for found, path in zip(each, paths, strict=True)]
    first: dict[str, Path] = {}
    for cell, path in zip(cells, paths, strict=True):
        if cell.key in first:
            raise ConfigError(
                f"{first[cell.key]} and {path} have the same choices: runs that differ only in "
                "their seed are one cell",
                hint="give the folder above them, and a folder with other choices",
            )
        first[cell.key] = path
    return cells


def _compared(
    cells: Sequence[Cell],
    metrics: Sequence[str],
    level: float,
    rope: float | None,
    inference: str | None,
    *,
    all_pairs: bool,
) -> list[PairComparison]:
    import itertools

    from ltbench.analysis.comparison import pairs
    from ltbench.analysis.comparison.config_diff import name_cells
    from ltbench.analysis.comparison.seed_predictions import (
        check_same_images,
        read_seed_predictions,
    )
    from ltbench.cli.stored_runs import followed

    named = list(zip(cells, name_cells(cells), strict=True))
    samples = [
        read_seed_predictions(cell, name, inference)
        for cell, name in followed(named, "reading predictions")
    ]
    chosen = (
        list(itertools.combinations(samples, 2))
        if all_pairs
        else [(samples[0], other) for other in samples[1:]]
    )
    for first, second in chosen:
        check_same_images(first, second)
    return [
        pairs.compare_pair(first, second, metrics, level=level, rope=rope)
        for first, second in followed(chosen, "comparing")
    ]
