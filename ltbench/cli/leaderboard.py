"""`ltbench leaderboard`: ranking of stored runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ltbench.cli.options import Json, Latex, Level, Markdown, Strict, Where
from ltbench.errors import ConfigError, DataError
from ltbench.io.gc import gc_paused

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ltbench.analysis.leaderboard.board import Leaderboard
    from ltbench.analysis.leaderboard.tables import DisplayTable
    from ltbench.storage.results import Found

MAX_SHOWN_ROWS = 50  # of a ranking on a terminal

Runs = Annotated[
    list[Path],
    typer.Argument(metavar="RUNS...", help="Run directories, or folders that contain some."),
]
Metric = Annotated[
    Literal["accuracy", "mean_class", "many", "medium", "few"],
    typer.Option(
        metavar="METRIC",
        help="Accuracy to rank by: accuracy, mean_class, many, medium or few.",
    ),
]
WithPublished = Annotated[
    bool,
    typer.Option(
        "--with-published", help="Add published results on the same data sets, marked as such."
    ),
]


@gc_paused()  # its objects live until it ends
def leaderboard(
    runs: Runs,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all rows and columns to a CSV file."),
    ] = None,
    markdown: Markdown = False,
    latex: Latex = False,
    json: Json = False,
    metric: Metric = "accuracy",
    level: Level = 0.95,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="Columns of the tables and of the CSV file, by their names in the file: method, "
            "accuracy, many, few, epochs, ..., few_excess (`ltbench docs leaderboard`). Default: "
            "in the file all but those of diagnoses, in tables those that say something.",
            show_default=False,
        ),
    ] = None,
    spread: Annotated[
        Literal["std", "interval", "none"] | None,
        typer.Option(
            help="What follows each accuracy in a table: the standard deviation over seeds, the "
            "interval, or nothing. Default: the deviation, with --latex of every accuracy, else of "
            "overall accuracy and of the ranked one.",
            show_default=False,
        ),
    ] = None,
    with_published: WithPublished = False,
    where: Where = None,
    strict: Strict = False,
) -> None:
    """Rank stored runs: a row for each combination, over its seeds.

    Runs with different data sets, test views, epoch selection or shot rules are ranked separately.
    A row that is not significantly worse than the best shares its rank. `ltbench docs leaderboard`
    describes the columns.

    Example: `ltbench leaderboard runs --csv leaderboard.csv`

    Example: `ltbench leaderboard runs --where dataset=digits_lt --where train.epochs=5`

    Example: `ltbench leaderboard runs --latex --metric few --columns method,accuracy,many,few
    --spread interval`
    """
    from ltbench.analysis.leaderboard import display_columns, files, frame, tables
    from ltbench.cli.output import print_json
    from ltbench.cli.output_paths import output_file
    from ltbench.cli.stored_runs import end_strictly, read_comparable
    from ltbench.cli.table_output import choose_format, write_csv

    chosen = choose_format(markdown=markdown, latex=latex, json=json)
    target = None if csv is None else output_file(csv, "--csv")
    named = None if columns is None else [name.strip() for name in columns.split(",")]
    names = display_columns.read_columns(named)
    if names is not None and chosen == "json":
        raise ConfigError(
            "--columns: --json prints every column but those of diagnoses",
            hint="leave --columns out; for columns of diagnoses, take --csv FILE --columns NAMES",
        )
    marked = names or display_columns.PAPER_COLUMNS if chosen == "latex" else ()
    found = read_comparable(runs, where)
    board = ranked(found, metric, level, with_published=with_published, marked=marked)
    if target is not None:
        write_csv(target, frame.chosen_frame(board, names))
    if chosen == "json":
        published = [row for rows in board.published.values() for row in rows]
        print_json(files.to_json(board.rankings, published, found.skipped))
    else:
        each = [
            tables.display_table(
                ranking,
                board.published_beside(ranking),
                columns=names,
                spread=spread,
                paper=chosen == "latex",
            )
            for ranking in board.rankings
        ]
        if chosen == "terminal":
            _print(each)
        else:
            write = tables.to_markdown if chosen == "markdown" else tables.to_latex
            typer.echo(write(each), nl=False)
    end_strictly(found.skipped, strict)


def ranked(
    found: Found,
    metric: str,
    level: float,
    *,
    with_published: bool,
    marked: Collection[str] = (),
) -> Leaderboard:
    """Returns the leaderboard of stored runs, and shows its progress on a terminal.

    Args:
        found: Stored runs.
        metric: Accuracy to rank by.
        level: Confidence level of intervals and tests, between 0 and 1.
        with_published: Whether published results are added.
        marked: Names of columns; of those with accuracies, the best rows are found.

    Raises:
        DataError: No run is finished.
    """
    from rich.progress import Progress

    from ltbench.analysis.leaderboard.board import build_leaderboard
    from ltbench.io.console import console
    from ltbench.registry.load import load_plugins

    if not found.runs:
        raise DataError(
            "there is no finished run to rank",
            hint="start some with ltbench run or ltbench grid run",
        )
    cells, registry = found.cells(), load_plugins()
    errors = console(stderr=True)
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("reading predictions, testing", total=len(cells))
        board = build_leaderboard(
            cells,
            registry,
            metric=metric,
            level=level,
            published=[each.result for each in registry.published] if with_published else (),
            marked=marked,
            advance=lambda: progress.advance(task),
        )
    if with_published and not board.published:
        errors.print("no results are published on these data sets")
    return board


def _print(shown: Sequence[DisplayTable]) -> None:
    from rich.markup import escape

    from ltbench.io.console import console, print_paragraph
    from ltbench.io.fitted_table import FittedTable

    out = console()
    for table in shown:
        out.print()
        print_paragraph(out, f"[bold]{escape(table.title)}[/]")
        fitted = FittedTable(elsewhere="--columns and --csv show them")
        for column in table.columns:
            fitted.add_column(column.head, right=not column.is_text, drop=column.drop)
        rows = table.texts.head(MAX_SHOWN_ROWS).itertuples(index=False, name=None)
        for texts, leads in zip(rows, table.is_best, strict=False):
            fitted.add_row(*map(escape, texts), style="bold" if leads else "")
        out.print(fitted)
        if len(table.texts) > MAX_SHOWN_ROWS:
            out.print(f"{len(table.texts) - MAX_SHOWN_ROWS} more rows: --csv FILE has them all")
        for text in table.footnotes:
            print_paragraph(out, f"[dim]{escape(text)}[/]")
