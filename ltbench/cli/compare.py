"""`ltbench compare`: statistical tests of the differences between stored runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ltbench.cli.options import Json, Latex, Level, Markdown, Strict, Where
from ltbench.errors import ConfigError

if TYPE_CHECKING:
    from ltbench.analysis.stats.multiplicity import Correction
    from ltbench.cli.table_output import Format
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
        typer.Option(
            metavar="METRIC",
            help="Accuracy to compare: all, accuracy, mean_class, many, medium or few.",
        ),
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
    details: Annotated[
        bool,
        typer.Option(
            "--details",
            help="Print every test after the answer: p values before and after the correction, "
            "tests across seeds or on images, and a sentence for each accuracy with the difference "
            "that would have been found.",
        ),
    ] = False,
    csv: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write all numbers to a CSV file: a row for each pair and accuracy.",
        ),
    ] = None,
    markdown: Markdown = False,
    latex: Latex = False,
    where: Where = None,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Test the differences between stored runs on the same test images.

    Prints the answer first, which is better and by how much, or a tie; --details adds the tests.
    With several common seeds, by a hierarchical bootstrap over seeds and images; with one, by
    paired tests on the images. `ltbench docs statistics` describes each number.

    Example: `ltbench compare runs/digits_lt/clip_tiny/lift_plus runs/digits_lt/clip_tiny/full`

    Example: `ltbench compare runs/digits_lt/clip_tiny/lora runs/digits_lt/clip_tiny/full --where
    train.epochs=3`
    """
    from ltbench.cli import compare_output
    from ltbench.cli.output_paths import output_file
    from ltbench.cli.stored_runs import end_strictly, followed, read_comparable
    from ltbench.cli.table_output import choose_format, write_csv

    chosen = choose_format(markdown=markdown, latex=latex, json=json)
    target = None if csv is None else output_file(csv, "--csv")
    if rope is not None and not rope > 0:
        raise ConfigError("--rope: expected more than 0 percent points")
    if across_datasets:
        if inference is not None:
            raise ConfigError("--inference: --across-datasets compares the stored results")
        found = read_comparable(runs, where)
        _compare_across(found, metric, correction, level, rope, target, chosen, details)
        end_strictly(found.skipped, strict)
        return
    from ltbench.analysis.comparison.comparison import compare_cells, comparisons_frame

    if len(runs) < 2:
        raise ConfigError(
            "expected at least two paths to compare, got one",
            hint="give another run directory, or a folder of runs",
        )
    each = [read_comparable([path], where) for path in runs]
    skipped = [item for found in each for item in found.skipped]
    comparisons = compare_cells(
        _cells(each, runs),
        metric=metric,
        all_pairs=all_pairs,
        correction=correction,
        level=level,
        rope=rope,
        inference=inference,
        follow=followed,
    )
    if target is not None:
        write_csv(target, comparisons_frame(comparisons))
    compare_output.print_comparisons(
        comparisons, skipped, chosen, details=details or rope is not None
    )
    end_strictly(skipped, strict)


def _compare_across(
    found: Found,
    metric: str,
    correction: Correction,
    level: float,
    rope: float | None,
    target: Path | None,
    chosen: Format,
    details: bool,
) -> None:
    """Compares methods over data sets, and prints the comparisons.

    Args:
        found: Stored runs.
        metric: Name of the accuracy, or "all".
        correction: Correction of p values.
        level: Confidence level, 0 to 1.
        rope: Half width of the region of practical equivalence in percent points, or None.
        target: CSV file to write, or None.
        chosen: Format of the output.
        details: Whether a terminal shows all tests.
    """
    from ltbench.analysis.comparison.across_datasets import ScoreTable, compare_across
    from ltbench.analysis.comparison.across_tables import across_frame
    from ltbench.analysis.comparison.pairs import METRICS
    from ltbench.cli import compare_output
    from ltbench.cli.table_output import write_csv

    metrics = METRICS if metric == "all" else (metric,)
    grid = ScoreTable.from_cells(found.cells())
    # A shot group that most data sets lack is an error only where --metric names it.
    shared = [name for name in metrics if len(grid.scores(name)) > 1]
    across = [
        compare_across(grid, name, correction=correction, level=level, rope=rope)
        for name in shared or metrics
    ]
    if target is not None:
        write_csv(target, across_frame(across, correction, level))
    compare_output.print_across(
        across, found.skipped, correction, level, chosen, details=details or rope is not None
    )


def _cells(each: Sequence[Found], paths: Sequence[Path]) -> list[Cell]:
    """Returns the cell of each path.

    Raises:
        ConfigError: A path has several cells, or two paths have the same cell.
        DataError: A path has no finished run.
    """
    from ltbench.analysis.comparison.comparison import check_distinct
    from ltbench.analysis.comparison.seed_predictions import single_cell

    cells = [single_cell(found.runs, path) for found, path in zip(each, paths, strict=True)]
    check_distinct(cells, list(map(str, paths)))
    return cells
