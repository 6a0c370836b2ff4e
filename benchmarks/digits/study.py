"""LIFT+, its loss and its baselines on digits_lt: the tables of benchmarks/results/digits.

    python benchmarks/digits/study.py --out runs

About 20 minutes on one core. Every run is stored, so that an interrupted study goes on
where it stopped. Learning rates of full fine-tuning are chosen on the val split, which holds
training images that the long-tailed subset leaves; the test split is read by the final runs alone.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

import ltbench

SEEDS = range(5)  # of the subset and of the training
RATES = (0.001, 0.005, 0.02)
COLUMNS = ("accuracy", "mean_class", "many", "medium", "few")
RESULTS = Path(__file__).parent.parent / "results" / "digits"


Done = dict[str, tuple[dict[str, Any], np.ndarray[Any, Any]]]
"""Entry -> its settings and its metrics, (seeds, columns)."""


@dataclass(frozen=True)
class Entry:
    """A row of the table, run with every seed."""

    name: str
    settings: dict[str, Any]
    search_rate: bool = False
    seeds: Sequence[int] = field(default=SEEDS)


ENTRIES = (
    Entry("zero_shot", {"method": "zero_shot"}, seeds=range(1)),  # without randomness
    Entry("lift_plus", {"method": "lift_plus"}),
    Entry("lift_plus, ce", {"method": "lift_plus", "loss": "ce"}),
    Entry("classifier_only", {"method": "classifier_only"}),
    Entry("full", {"method": "full"}, search_rate=True),
    Entry("full, ce", {"method": "full", "loss": "ce"}, search_rate=True),
)
# The test split has 140 images of few-shot classes, so one image is worth 0.7 points. For the
# question of the loss only, val has almost four times as many, and more seeds cost little.
LOSS_SEEDS = range(10)
LIFT_PLUS: dict[str, Any] = {"method": "lift_plus"}
FULL: dict[str, Any] = {"method": "full", "train.lr": 0.005}  # the rate that was best on val
LOSS_ENTRIES = tuple(
    Entry(name, {**settings, "split": "val"}, seeds=LOSS_SEEDS)
    for name, settings in (
        ("lift_plus", LIFT_PLUS),
        ("lift_plus, ce", {**LIFT_PLUS, "loss": "ce"}),
        ("full", FULL),
        ("full, ce", {**FULL, "loss": "ce"}),
    )
)
LOSS_COMPARISONS = (("lift_plus", "lift_plus, ce"), ("full", "full, ce"))
COMPARISONS = (
    ("lift_plus", "zero_shot"),
    ("lift_plus", "lift_plus, ce"),
    ("lift_plus", "classifier_only"),
    ("lift_plus", "full"),
    ("lift_plus", "full, ce"),
    ("full", "full, ce"),
)


class Study:
    """Runs of entries, whose metrics are kept."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def metrics(self, settings: dict[str, Any], seed: int) -> dict[str, float]:
        """Returns the metrics of one run, in percent."""
        settings = {**settings, "seed": seed, "data_seed": seed, "precision": "fp32"}
        result = ltbench.run(
            out=self.out, device="cpu", workers=0, cache=0, progress=False, **settings
        )
        return result.metrics.model_dump(include=set(COLUMNS))

    def best_rate(self, entry: Entry) -> float:
        """Returns the learning rate with the best mean-class accuracy on the val split."""
        means = {
            rate: np.mean(
                [
                    self.metrics({**entry.settings, "train.lr": rate, "split": "val"}, seed)[
                        "mean_class"
                    ]
                    for seed in entry.seeds
                ]
            )
            for rate in RATES
        }
        shown = ", ".join(f"{rate}: {mean:.2f}" for rate, mean in means.items())
        print(f"{entry.name}: mean-class accuracy on val by learning rate: {shown}")
        return max(RATES, key=lambda rate: means[rate])

    def table(self, entry: Entry) -> tuple[dict[str, Any], np.ndarray[Any, Any]]:
        """Returns the settings of an entry and its metrics."""
        settings = dict(entry.settings)
        if entry.search_rate:
            settings["train.lr"] = self.best_rate(entry)
        rows = [self.metrics(settings, seed) for seed in entry.seeds]
        return settings, np.array([[row[name] for name in COLUMNS] for row in rows])


def main() -> None:
    """Runs the study and writes its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder of the runs")
    study = Study(parser.parse_args().out)
    done = {entry.name: study.table(entry) for entry in ENTRIES}
    losses = {entry.name: study.table(entry) for entry in LOSS_ENTRIES}
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_csv(RESULTS / "methods.csv", done)
    write_csv(RESULTS / "losses_on_val.csv", losses)
    text = "\n\n".join(
        [
            accuracy_table(done),
            difference_table(done, COMPARISONS),
            "On the val split:",
            accuracy_table(losses),
            difference_table(losses, LOSS_COMPARISONS),
        ]
    )
    print(text)


def write_csv(path: Path, done: Done) -> None:
    """Writes a row for each entry and seed."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["entry", "lr", "seed", *COLUMNS])
        for name, (settings, values) in done.items():
            for seed, row in enumerate(values):
                writer.writerow([name, settings.get("train.lr", ""), seed, *row.round(4)])


def accuracy_table(done: Done) -> str:
    """Returns mean and standard deviation over the seeds, as Markdown."""
    lines = [
        "| entry | learning rate | seeds | overall | mean-class | many | medium | few |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, (settings, values) in done.items():
        cells = [
            f"{column.mean():.1f}" + (f" ± {column.std(ddof=1):.1f}" if len(column) > 1 else "")
            for column in values.T
        ]
        rate = settings.get("train.lr", "recipe's")
        lines.append(f"| {name} | {rate} | {len(values)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def difference_table(done: Done, comparisons: Sequence[tuple[str, str]]) -> str:
    """Returns paired differences over the seeds with 95 % t intervals, as Markdown."""
    lines = [
        "| difference | overall | few |",
        "|---|---|---|",
    ]
    for better, worse in comparisons:
        gaps = done[better][1] - done[worse][1]  # one row of zero_shot stands for every seed
        half = student.ppf(0.975, len(gaps) - 1) * gaps.std(axis=0, ddof=1) / np.sqrt(len(gaps))
        cells = [
            f"{gap:+.1f} [{gap - h:+.1f}, {gap + h:+.1f}]"
            for gap, h in zip(gaps.mean(axis=0), half, strict=True)
        ]
        lines.append(f"| {better} - {worse} | {cells[0]} | {cells[-1]} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
