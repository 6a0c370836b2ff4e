"""`ltbench leaderboard`: ranking of stored runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ltbench.cli.options import Json, Latex, Level, Markdown, Strict, Where
from ltbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    typer.Option(help="Accuracy to rank by."),
]
WithPublished = Annotated[
    bool,
    typer.Option(
        "--with-published", help="Add published results on the same data sets, marked as such."
    ),
]


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
    """
    from ltbench.analysis.leaderboard import files, frame, tables
    from ltbench.cli.output import print_json
    from ltbench.cli.output_paths import output_file
    from ltbench.cli.stored_runs import end_strictly, read_runs
    from ltbench.cli.table_output import choose_format, write_csv

    chosen = choose_format(markdown=markdown, latex=latex, json=json)
    target = None if csv is None else output_file(csv, "--csv")
    found = read_runs(runs, where)
    board = ranked(found, metric, level, with_published=with_published)
    if target is not None:
        write_csv(target, frame.leaderboard_frame(board.rows()))
    if chosen == "json":
        published = [row for rows in board.published.values() for row in rows]
        print_json(files.to_json(board.rankings, published, found.skipped))
    else:
        each = [
            tables.display_table(ranking, board.published_beside(ranking))
            for ranking in board.rankings
        ]
        if chosen == "terminal":
            _print(each)
        else:
            write = tables.to_markdown if chosen == "markdown" else tables.to_latex
            typer.echo(write(each), nl=False)
    end_strictly(found.skipped, strict)


def ranked(found: Found, metric: str, level: float, *, with_published: bool) -> Leaderboard:
    """Returns the leaderboard of stored runs, and shows its progress on a terminal.

    Args:
        found: Stored runs.
        metric: Accuracy to rank by.
        level: Confidence level of intervals and tests, between 0 and 1.
        with_published: Whether published results are added.

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
            advance=lambda: progress.advance(task),
        )
    if with_published and not board.published:
        errors.print("no results are published on these data sets")
    return board


def _print(shown: Sequence[DisplayTable]) -> None:
    from rich.markup import escape

    from ltbench.analysis.leaderboard import tables
    from ltbench.cli.output import plain_table
    from ltbench.io.console import console

    out = console()
    for table in shown:
        out.print(f"\n[bold]{escape(table.title)}[/]", soft_wrap=True)
        fitted = tables.fit_to_width(table, out.width)
        columns = plain_table()
        for head in fitted.texts.columns:
            justify: Literal["left", "right"] = "left" if head in table.TEXT_HEADS else "right"
            columns.add_column(head, justify=justify, overflow="fold")
        shown_rows = fitted.texts.head(MAX_SHOWN_ROWS).itertuples(index=False, name=None)
        for texts, leads in zip(shown_rows, table.is_best, strict=False):
            columns.add_row(*(escape(text) for text in texts), style="bold" if leads else "")
        out.print(columns)
        if len(table.texts) > MAX_SHOWN_ROWS:
            out.print(f"{len(table.texts) - MAX_SHOWN_ROWS} more rows: --csv FILE has them all")
        for text in table.footnotes:
            out.print(f"[dim]{escape(text)}[/]", soft_wrap=True)
