"""Results of a part as tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from benchmarks.gpu.results import PartResults
from benchmarks.throughput.table import shown


def print_part(results: PartResults, console: Console) -> None:
    """Prints the machine, the rows of a part without empty columns, and its goals."""
    machine, part = results.machine, results.part
    peaks = ", ".join(f"{name} {peak:,.0f}" for name, peak in machine["peak_gflops"].items())
    console.print(f"{machine['name']}, {machine['cores']} cores; GFLOP/s of a product: {peaks}")
    rows = results.rows
    columns = [
        column
        for column in part.columns
        if any(row.get(column.figure) is not None for row in rows.values())
    ]
    table = Table(title=part.summary, title_justify="left")
    table.add_column("")
    for column in columns:
        table.add_column(column.title, justify="right")
    for name, row in rows.items():
        table.add_row(name, *(shown(row.get(column.figure), column.form) for column in columns))
    console.print(table)
    for goal, value in results.goals():
        verdict = "reached" if goal.reached(value) else "missed"
        measured, target = shown(value, goal.form), shown(goal.target, goal.form)
        console.print(f"{goal.name}: {measured} (goal {goal.sign} {target}): {verdict}")
