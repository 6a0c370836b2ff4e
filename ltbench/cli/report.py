"""`ltbench report`: page, figures and tables about stored runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ltbench.cli.leaderboard import Metric, Runs, WithPublished, ranked
from ltbench.cli.options import DataRoot, Level, Strict, Where
from ltbench.config.defaults import DEFAULT_DATA_ROOT


def report(
    runs: Runs,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the report, created where it is missing.")
    ],
    title: Annotated[
        str | None, typer.Option(help="Title of the page. Default: the data sets.")
    ] = None,
    metric: Metric = "accuracy",
    level: Level = 0.95,
    with_published: WithPublished = False,
    where: Where = None,
    pictures: Annotated[
        bool,
        typer.Option(
            "--pictures/--no-pictures",
            help="Whether the page has pictures of mistakes, where the data set is in place. Leave "
            "them out where its licence forbids to publish them.",
        ),
    ] = True,
    strict: Strict = False,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
) -> None:
    """Create a report of stored runs: an HTML page, its figures, and tables for papers.

    DIR/index.html is a single file that needs no network. Its first screen answers the question: a
    sentence, a table with rank, accuracy, interval and shot groups, a figure. Below: classes from
    frequent to rare, errors of rare classes, pairwise differences, cost, calibration, training
    curves, commands. DIR/figures has each figure as SVG and PDF, DIR/tables.tex the tables for
    LaTeX (booktabs), DIR/leaderboard.csv all rows.

    Example: `ltbench report runs --out report`
    """
    from rich.progress import Progress

    from ltbench.analysis.leaderboard.display_columns import PAPER_COLUMNS
    from ltbench.cli.output_paths import writable_folder
    from ltbench.cli.stored_runs import end_strictly, read_comparable
    from ltbench.engine.stored_split import EvaluatedSplits
    from ltbench.io.console import console
    from ltbench.report.build import build_report
    from ltbench.report.sections.evidence import MAX_SHOWN_METHODS

    writable_folder(out, "--out")
    found = read_comparable(runs, where)
    board = ranked(found, metric, level, with_published=with_published, marked=PAPER_COLUMNS)
    shown = sum(min(len(ranking.entries), MAX_SHOWN_METHODS) for ranking in board.rankings)
    errors = console(stderr=True)
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("comparing, drawing", total=shown)
        made = build_report(
            found,
            board,
            title=title,
            advance=lambda: progress.advance(task),
            open_split=EvaluatedSplits(data_root) if pictures else None,
        )
        made.write(out)
    page = out / "index.html"
    told = f"{page}: {len(made.figures)} figures in {out / 'figures'}"
    console().print(told, markup=False, soft_wrap=True)
    end_strictly(found.skipped, strict)
