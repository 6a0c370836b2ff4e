"""Results as tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from benchmarks.throughput.goals import GOALS
from benchmarks.throughput.results import Results
from benchmarks.throughput.section import Section
from benchmarks.throughput.sections import SECTIONS

_VERDICTS = {True: "[green]reached[/]", False: "[red]missed[/]", None: ""}


def print_results(results: Results, console: Console) -> None:
    """Prints the machine, a table for each section, and the goals."""
    machine = results.machine
    peaks = ", ".join(f"{name} {peak:,.0f}" for name, peak in machine["peak_gflops"].items())
    console.print(f"{machine['name']}, {machine['cores']} cores; GFLOP/s of a product: {peaks}")
    for name in results.sections:
        console.print(section_table(SECTIONS[name], results))
    console.print(goal_table(results))


def section_table(section: Section, results: Results) -> Table:
    """Returns the medians of a section's rows, without columns that no row has."""
    rows = results.sections[section.name]
    columns = [
        column
        for column in section.columns
        if any(results.rounds(section.name, row, column.figure) for row in rows)
    ]
    table = Table(title=section.title, title_justify="left")
    table.add_column("")
    for column in columns:
        table.add_column(column.title, justify="right")
    for row in rows:
        found = (results.median(section.name, row, column.figure) for column in columns)
        cells = (shown(value, column.form) for value, column in zip(found, columns, strict=True))
        table.add_row(row, *cells)
    return table


def goal_table(results: Results) -> Table:
    """Returns the table of goals and measured numbers."""
    table = Table(title="Goals", title_justify="left")
    table.add_column("")
    for title in ("measured", "goal"):
        table.add_column(title, justify="right")
    table.add_column("")
    for cells in goal_rows(results):
        table.add_row(*cells)
    return table


def goal_rows(results: Results) -> Iterator[tuple[str, str, str, str]]:
    """Yields name, number, goal and verdict of each measured goal."""
    for goal in GOALS:
        value = goal.value.of(results)
        if value is not None and results.machine["device"] in goal.devices:
            target = "" if goal.target is None else f"{goal.sign} {shown(goal.target, goal.form)}"
            yield goal.name, shown(value, goal.form), target, _VERDICTS[goal.reached(results)]


def shown(value: float | None, form: str) -> str:
    """Returns a number as text in a form, which may end with a suffix x.

    >>> shown(2.5, ".2fx"), shown(0.31, ".0%"), shown(None, ".2f")
    ('2.50x', '31%', '')
    """
    if value is None:
        return ""
    if form == "d":
        return str(int(value))
    number, times = form.removesuffix("x"), form.endswith("x")
    return format(value, number) + "x" * times
