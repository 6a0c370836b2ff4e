"""LIFT+, its loss and its baselines on digits_lt: the tables of benchmarks/results/digits.

    python -m benchmarks.remeasure --only study

About 20 minutes on one core. Every run is stored, so that an interrupted study goes on
where it stopped. Learning rates of full fine-tuning are chosen on the val split, which holds
training images that the long-tailed subset leaves; the test split is read by the final runs alone.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

import ltbench
from benchmarks.remeasure.marked import fill

SEEDS = range(5)  # of the subset and of the training
RATES = (0.001, 0.005, 0.02)
COLUMNS = ("accuracy", "mean_class", "many", "medium", "few")
ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "digits"
CHOOSING = ROOT / "docs" / "choosing.md"

Done = dict[str, tuple[dict[str, Any], np.ndarray[Any, Any]]]
"""Entry -> its settings and its metrics, (seeds, columns)."""
Scores = dict[str, dict[float, float]]
"""Entry -> its mean-class accuracy on val in percent, by learning rate."""


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
LOSS_ENTRIES = ("lift_plus", "lift_plus, ce", "full", "full, ce")
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
    """Runs of entries, whose metrics are kept.

    Args:
        out: Folder of the runs.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.scores: Scores = {}

    def metrics(self, settings: dict[str, Any], seed: int) -> dict[str, float]:
        """Returns the metrics of one run, in percent."""
        settings = {**settings, "seed": seed, "data_seed": seed, "precision": "fp32"}
        result = ltbench.run(
            out=self.out, device="cpu", workers=0, cache=0, progress=False, **settings
        )
        return result.metrics.model_dump(include=set(COLUMNS))

    def best_rate(self, entry: Entry) -> float:
        """Returns the learning rate with the best mean-class accuracy on the val split."""
        scores = {}
        for rate in RATES:
            settings = {**entry.settings, "train.lr": rate, "split": "val"}
            runs = [self.metrics(settings, seed) for seed in entry.seeds]
            scores[rate] = float(np.mean([one["mean_class"] for one in runs]))
        self.scores[entry.name] = scores
        return max(RATES, key=lambda rate: scores[rate])

    def settings(self, entry: Entry) -> dict[str, Any]:
        """Returns the settings of an entry, with its best learning rate where one is searched."""
        found = {"train.lr": self.best_rate(entry)} if entry.search_rate else {}
        return {**entry.settings, **found}

    def values(self, settings: dict[str, Any], seeds: Sequence[int]) -> np.ndarray[Any, Any]:
        """Returns the metrics of runs, (seeds, columns)."""
        rows = [self.metrics(settings, seed) for seed in seeds]
        return np.array([[row[name] for name in COLUMNS] for row in rows])


def measure(out: Path) -> None:
    """Runs the study, and writes its files and its tables.

    Args:
        out: Folder of the runs; those that are there are not executed again.
    """
    study = Study(out)
    done: Done = {}
    for entry in ENTRIES:
        settings = study.settings(entry)
        done[entry.name] = settings, study.values(settings, entry.seeds)
        print(entry.name, flush=True)
    losses: Done = {}
    for name in LOSS_ENTRIES:
        settings = done[name][0]
        losses[name] = settings, study.values({**settings, "split": "val"}, LOSS_SEEDS)
        print(f"{name}, on val", flush=True)
    write_csv(RESULTS / "methods.csv", done)
    write_csv(RESULTS / "losses_on_val.csv", losses)
    parts = {
        "learning rates": rate_table(study.scores),
        "accuracies": accuracy_table(done),
        "differences": difference_table(done, COMPARISONS),
        "accuracies on val": accuracy_table(losses),
        "differences on val": difference_table(losses, LOSS_COMPARISONS),
    }
    fill(RESULTS / "README.md", parts)
    fill(CHOOSING, {"differences": parts["differences"], "losses": parts["differences on val"]})


def write_csv(path: Path, done: Done) -> None:
    """Writes a row for each entry and seed."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["entry", "lr", "seed", *COLUMNS])
        for name, (settings, values) in done.items():
            for seed, row in enumerate(values):
                writer.writerow([name, settings.get("train.lr", ""), seed, *row.round(4)])


def rate_table(scores: Scores) -> str:
    """Returns mean-class accuracy on val by learning rate, the best in bold, as Markdown."""
    lines = [
        "| entry | " + " | ".join(f"{rate:g}" for rate in RATES) + " |",
        "|" + "---|" * (len(RATES) + 1),
    ]
    for name, by_rate in scores.items():
        best = max(by_rate.values())
        cells = [f"**{one:.2f}**" if one == best else f"{one:.2f}" for one in by_rate.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


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
