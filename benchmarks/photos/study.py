"""Heavy against light fine-tuning on photographs, with weights pretrained on ImageNet.

Each entry has a learning rate of its own, chosen among four by mean-class accuracy on the official
val split; the test split is read by the final runs alone. Finished runs are not executed again.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ltbench

SEEDS = range(5)
COMMON: dict[str, Any] = {
    "dataset": "grocery_store",
    "dataset.profile": "exponential",
    "dataset.ratio": 16.0,
    "dataset.largest": 32,
    "backbone": "in1k_efficientnet_lite0",
    "backbone.resolution": 128,
    "inference": "center",
    "precision": "fp32",
}
TRAINED: dict[str, Any] = {"train.epochs": 5, "train.batch_size": 32}
_HEAVY, _LIGHT = (0.0003, 0.001, 0.003, 0.01), (0.01, 0.03, 0.1, 0.3)
_HALF = 8  # of the 16 blocks


@dataclass(frozen=True)
class Entry:
    """A row of the table.

    Args:
        name: Name of the row, and of the folder of its runs.
        settings: Settings besides the common ones.
        rates: Learning rates to choose from; none: nothing is trained by gradients.
        rate_of: Entry whose chosen rate is taken: its training is the same.
        seeds: Seeds of its final runs.
    """

    name: str
    settings: dict[str, Any]
    rates: tuple[float, ...] = ()
    rate_of: str = ""
    seeds: Sequence[int] = SEEDS


ENTRIES = (
    Entry("ncm", {"method": "ncm"}),
    Entry("classifier_only", {"method": "classifier_only"}, _LIGHT),
    Entry("classifier_only_ce", {"method": "classifier_only", "loss": "ce"}, _LIGHT),
    Entry("bitfit", {"method": "bitfit"}, _LIGHT),
    Entry("half", {"method": "full", "method.layers": _HALF}, _HEAVY),
    Entry("full", {"method": "full"}, _HEAVY),
    Entry("full_ce", {"method": "full", "loss": "ce"}, _HEAVY),
    Entry("crt", {"method": "crt"}, _HEAVY, seeds=SEEDS[:3]),
    Entry("tau_norm", {"method": "tau_norm"}, rate_of="crt", seeds=SEEDS[:3]),
    Entry(
        "full_random",
        {"method": "full", "backbone.pretrained": False},
        _HEAVY[2:],
        seeds=SEEDS[:2],  # a control
    ),
)
COLUMNS = ("accuracy", "mean_class", "medium", "few")
DIAGNOSED = ("classifier_only", "bitfit", "half", "full", "full_ce", "full_random")
"""Entries whose features are diagnosed: each has another encoder."""

FOLDER = Path("benchmarks/results/photos")
"""Folder of the runs, in the repository and in the folder of a measurement."""

RESULTS = Path(__file__).parents[2] / FOLDER


@dataclass
class Study:
    """Runs of entries.

    Args:
        out: Folder of the runs.
        data_root: Folder of the data sets.
    """

    out: Path
    data_root: Path
    rates: dict[str, dict[float, float]] = field(default_factory=dict)

    def metrics(self, settings: dict[str, Any], folder: str) -> dict[str, float | None]:
        """Returns the metrics of one run, in percent."""
        result = ltbench.run(
            out=self.out / folder,
            data_root=self.data_root,
            device="cpu",
            workers=0,
            progress=False,
            **{**COMMON, **settings},
        )
        found: dict[str, float | None] = result.metrics.model_dump(include=set(COLUMNS))
        return found

    def rate(self, entry: Entry) -> float | None:
        """Returns the learning rate with the best mean-class accuracy on the val split."""
        if entry.rate_of:
            return self.rate(next(one for one in ENTRIES if one.name == entry.rate_of))
        if not entry.rates:
            return None
        if entry.name not in self.rates:
            self.rates[entry.name] = {
                rate: _known(
                    self.metrics(
                        {**TRAINED, **entry.settings, "train.lr": rate, "split": "val"}, "search"
                    )
                )
                for rate in entry.rates
            }
        means = self.rates[entry.name]
        return max(means, key=lambda rate: means[rate])

    def final(self, entry: Entry, seed: int) -> dict[str, float | None]:
        """Returns the metrics of an entry on the test split."""
        rate = self.rate(entry)
        trained = {} if rate is None else {**TRAINED, "train.lr": rate}
        return self.metrics({**trained, **entry.settings, "seed": seed}, f"runs/{entry.name}")


def _known(metrics: dict[str, float | None]) -> float:
    value = metrics["mean_class"]
    assert value is not None
    return value


def measure(study: Study) -> None:
    """Runs the study, and writes the chosen rates and the metrics of every run."""
    pairs = [(entry, seed) for seed in SEEDS for entry in ENTRIES if seed in entry.seeds]
    pairs.sort(key=lambda pair: len(pair[0].seeds), reverse=True)  # the control last
    for entry, seed in pairs:
        print(seed, entry.name, study.rate(entry), study.final(entry, seed), flush=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_rates(study)
    write_metrics(study)


def write_rates(study: Study) -> None:
    """Writes mean-class accuracy on val by entry and learning rate."""
    with (RESULTS / "rates_on_val.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["entry", "lr", "mean_class", "chosen"])
        for entry in ENTRIES:
            for rate, mean in study.rates.get(entry.name, {}).items():
                writer.writerow([entry.name, rate, round(mean, 4), rate == study.rate(entry)])


def write_metrics(study: Study) -> None:
    """Writes a row for each entry and seed."""
    with (RESULTS / "methods.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["entry", "lr", "seed", *COLUMNS])
        for entry in ENTRIES:
            for seed in entry.seeds:
                found = study.final(entry, seed)
                values = [_rounded(found[name]) for name in COLUMNS]
                writer.writerow([entry.name, study.rate(entry) or "", seed, *values])


def _rounded(value: float | None) -> float | str:
    return "" if value is None else round(value, 4)
