"""`ltbench runs list`: a table of stored runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ltbench.cli.options import Json, Strict, Where
from ltbench.config.defaults import DEFAULT_OUT
from ltbench.config.quick_look import KEYS as QUICK_KEYS
from ltbench.errors import ConfigError
from ltbench.io.gc import gc_paused

if TYPE_CHECKING:
    from ltbench.storage.run_table import RunTable

MAX_SHOWN_ROWS = 50  # on a terminal, without --all
_COMPONENTS = ("dataset", "backbone", "method")
_ALWAYS_SHOWN = ("hash", *_COMPONENTS, *QUICK_KEYS, "seed", "accuracy", "few", "tags")


@gc_paused()  # its objects live until it ends
def list_runs(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUNS...",
            help=f"Run directories, or folders that contain some. Default: {DEFAULT_OUT}.",
            show_default=False,
        ),
    ] = None,
    where: Where = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Sort by a column: metrics with the best first, others ascending; -COLUMN "
            "reverses the order. Default: by path.",
            show_default=False,
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="Columns: hash, path, finished, tags, tag.NAME, metrics (accuracy, few, ece, "
            "...), settings (method, train.epochs, ...), and keys of result.json "
            "(training.seconds, learned.total, environment.device, ...). Default: those that "
            "distinguish the runs.",
            show_default=False,
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the table, all rows of it, to a CSV file."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help=f"Show every run, instead of the first {MAX_SHOWN_ROWS}.")
    ] = False,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """List stored runs, with their settings, accuracies and tags.

    Run directories that cannot be used are named on stderr: of failed and unfinished runs, broken
    ones, and copies.

    Example: `ltbench runs list --where dataset=digits_lt --sort few`

    Example: `ltbench runs list runs --columns hash,method,train.epochs,tag.paper --csv runs.csv`
    """
    from ltbench.cli.output import print_json
    from ltbench.cli.output_paths import output_file
    from ltbench.cli.stored_runs import end_strictly, read_runs
    from ltbench.storage.run_table import RunTable

    names = _names(columns)
    target = None if csv is None else output_file(csv, "--csv")
    found = read_runs(runs or [DEFAULT_OUT], where)
    table = RunTable.of(found.runs, names, sort)
    if target is not None:
        _write_csv(table, target)
        typer.echo(f"{csv}: {len(table.rows)} rows", err=True)
    if json:
        skipped = [{"path": str(one.path), "reason": one.reason} for one in found.skipped]
        rows = [
            {"path": str(run.path), **row} for run, row in zip(table.runs, table.rows, strict=True)
        ]
        print_json({"runs": rows, "skipped": skipped})
    elif target is None:
        # Where the columns are not chosen, those with one value make room for the others.
        constant = {} if names else _constant(table)
        _print(table, len(table.rows) if every else MAX_SHOWN_ROWS, constant, chosen=bool(names))
    end_strictly(found.skipped, strict)


def _names(columns: str | None) -> list[str]:
    if columns is None:
        return []
    names = [name.strip() for name in columns.split(",")]
    if not all(names):
        raise ConfigError("--columns: expected names, as in --columns hash,method,few")
    return names


def _constant(table: RunTable) -> dict[str, Any]:
    """Returns the components that all of several runs have, by column."""
    return {
        name: table.rows[0][name]
        for name in _COMPONENTS
        if len(table.rows) > 1 and len({row[name] for row in table.rows}) == 1
    }


def _print(table: RunTable, shown: int, constant: Mapping[str, Any], *, chosen: bool) -> None:
    from rich.markup import escape

    from ltbench.io.console import console, print_paragraph
    from ltbench.io.fitted_table import FittedTable

    out = console()
    if not table.rows:
        out.print("there is no finished run")
        return
    columns = [name for name in table.columns if name not in constant]
    rows = table.rows[:shown]
    # Columns that were asked for are all shown. Of the others, the last are left out first.
    optional = () if chosen else [name for name in columns if name not in _ALWAYS_SHOWN]
    grid = FittedTable(elsewhere="add --columns, --csv or --json")
    for name in columns:
        numeric = all(_is_number(row[name]) for row in rows)
        drop = len(optional) - optional.index(name) if name in optional else 0
        grid.add_column(name, right=numeric, drop=drop)
    for row in rows:
        grid.add_row(*(escape(_cell(name, row[name])) for name in columns))
    out.print(grid)
    count = len(table.rows)
    more = f", {count - shown:,} of them not shown: add --all" if count > shown else ""
    out.print(f"{count:,} {'run' if count == 1 else 'runs'}{more}")
    if constant:
        same = ", ".join(f"{name}={_text(value)}" for name, value in constant.items())
        print_paragraph(out, escape(f"all with {same}"))


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _cell(name: str, value: Any) -> str:
    from ltbench.storage.run_table import METRICS

    return f"{value:.1f}" if name in METRICS and value is not None else _text(value)


def _text(value: Any) -> str:
    from ltbench.config.options import as_typed

    if value is None:
        return "-"
    if isinstance(value, dict):
        return ", ".join(f"{name}={one}" for name, one in value.items())
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else as_typed(value)


def _write_csv(table: RunTable, path: Path) -> None:
    import csv
    import io

    from ltbench.io.text import csv_text
    from ltbench.storage.files import make_folder, write_atomically

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([csv_text(_flat(row[name])) for name in table.columns])
    make_folder(path.parent)
    write_atomically(path, text.getvalue().encode())


def _flat(value: Any) -> Any:
    return _text(value) if isinstance(value, dict | list | tuple) else value
