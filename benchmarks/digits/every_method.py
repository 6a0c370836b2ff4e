"""Every method of ltbench on digits_lt: benchmarks/results/digits/every_method.csv and its table.

    python -m benchmarks.remeasure --only every_method

About half an hour on one core. Every run is stored, so that an interrupted study goes on where
it stopped. Each method is trained as its recipe says: nothing is chosen by looking at results.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import ltbench
from benchmarks.remeasure.marked import fill
from ltbench.config.options import as_typed
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry

SEEDS = range(3)  # of the subset and of the training
RESIDUAL = {"bn_tuning"}  # learn batch norms, which the vision transformer of digits_lt has not
COLUMNS = ("accuracy", "mean_class", "many", "medium", "few", "ece")
RESULTS = Path(__file__).parent.parent / "results" / "digits"


@dataclass
class Row:
    """A method with some of its options, and its metrics, (seeds, columns)."""

    name: str
    settings: dict[str, Any]
    learned: int = 0
    seconds: list[float] = field(default_factory=list)
    values: list[list[float]] = field(default_factory=list)


def rows_of(registry: Registry) -> list[Row]:
    """Returns every method that a vision transformer can have, with each of its examples."""
    rows = []
    for name, component in registry.components["method"].items():
        if component.plugin.distribution != "ltbench" or name in RESIDUAL:
            continue
        for example in component.spec.examples:
            shown = ", ".join(f"{key}={as_typed(value)}" for key, value in example.items())
            options = {f"method.{key}": value for key, value in example.items()}
            rows.append(Row(f"{name} ({shown})" if shown else name, {"method": name, **options}))
    return rows


def run(row: Row, out: Path) -> None:
    """Runs a row with every seed."""
    for seed in SEEDS:
        settings = {**row.settings, "seed": seed, "data_seed": seed, "precision": "fp32"}
        result = ltbench.run(out=out, device="cpu", workers=0, cache=0, progress=False, **settings)
        refinement = result.refinement.seconds if result.refinement else 0.0
        row.learned = result.learned.total
        row.seconds.append(result.training.seconds + refinement)
        row.values.append([getattr(result.metrics, column) for column in COLUMNS])


def measure(out: Path) -> None:
    """Runs all rows, and writes their file and their table.

    Args:
        out: Folder of the runs; those that are there are not executed again.
    """
    rows = rows_of(load_plugins())
    for number, row in enumerate(rows, start=1):
        run(row, out)
        print(f"{number}/{len(rows)} {table_line(row)}", flush=True)
    write_csv(RESULTS / "every_method.csv", rows)
    fill(RESULTS / "README.md", {"every method": table(rows)})


def write_csv(path: Path, rows: list[Row]) -> None:
    """Writes a line for each method and seed."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["method", "seed", "learned_parameters", "train_seconds", *COLUMNS])
        for row in rows:
            for seed, values in zip(SEEDS, row.values, strict=True):
                rounded = [round(value, 4) for value in values]
                seconds = round(row.seconds[seed], 1)
                writer.writerow([row.name, seed, row.learned, seconds, *rounded])


def table(rows: list[Row]) -> str:
    """Returns mean and standard deviation over the seeds, as Markdown, best first."""
    best_first = sorted(rows, key=lambda row: -np.mean(row.values, axis=0)[0])
    head = "| method | learned parameters | overall | mean-class | many | medium | few | ECE |"
    return "\n".join([head, "|---|---|---|---|---|---|---|---|", *map(table_line, best_first)])


def table_line(row: Row) -> str:
    """Returns the line of a method."""
    values = np.array(row.values)
    spread = values.std(axis=0, ddof=1)
    cells = [f"{mean:.1f} ± {std:.1f}" for mean, std in zip(values.mean(0), spread, strict=True)]
    return f"| {row.name} | {row.learned:,} | {' | '.join(cells)} |"
