"""Output of the verbs that print tables: its format, the tables, and the CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer
from rich.markup import escape

from ltbench.errors import ConfigError
from ltbench.io.fitted_table import FittedTable
from ltbench.io.text import line_text, terminal_text
from ltbench.storage.files import make_folder, write_atomically

if TYPE_CHECKING:
    import pandas as pd

    from ltbench.analysis.errors.display_tables import ErrorTable

Format = Literal["terminal", "markdown", "latex", "json"]


def choose_format(*, markdown: bool, latex: bool, json: bool) -> Format:
    """Returns the format that was chosen on the command line.

    Raises:
        ConfigError: Several were chosen.
    """
    options: dict[Format, bool] = {"markdown": markdown, "latex": latex, "json": json}
    chosen = [name for name, given in options.items() if given]
    if len(chosen) > 1:
        raise ConfigError("--markdown, --latex and --json: choose one of them")
    return chosen[0] if chosen else "terminal"


def write_csv(target: Path, frame: pd.DataFrame) -> None:
    """Writes a table to a CSV file, and says so on stderr.

    Args:
        target: File, from `ltbench.cli.output_paths.output_file`.
        frame: Table.

    Raises:
        RunError: The file cannot be written.
    """
    from ltbench.io.tables import csv_table

    make_folder(target.parent)
    write_atomically(target, csv_table(frame).encode())
    rows = "1 row" if len(frame) == 1 else f"{len(frame)} rows"
    typer.echo(terminal_text(f"{target}: {rows}"), err=True)


def fitted_table(
    shown: ErrorTable, optional: Sequence[str] = (), elsewhere: str = ""
) -> FittedTable:
    """Returns a table of an analysis for the terminal.

    Args:
        shown: Table.
        optional: Titles of columns that are left out where there is too little room, in this order.
        elsewhere: Clause that says how these are shown.
    """
    table = FittedTable(elsewhere=elsewhere)
    for column in shown.columns:
        drop = optional.index(column.title) + 1 if column.title in optional else 0
        table.add_column(column.title, right=column.decimals is not None, drop=drop)
    for row in shown.texts():
        table.add_row(*(escape(line_text(text)) for text in row))
    return table


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Returns the rows of a data frame for JSON; unknown values are None."""
    known = frame.astype(object).where(frame.notna(), None)
    rows: list[dict[str, Any]] = known.to_dict("records")
    return rows
