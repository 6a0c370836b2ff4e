"""Page of an entry: authors, commands, accuracies by seed and class, environment, settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ltbench import __version__
from ltbench.analysis.metrics import DEFAULT_RULE, SHOT_RULES
from ltbench.board.entries import BoardDataset, BoardEntry, RankedEntries, count
from ltbench.board.people import people_table
from ltbench.config.options import as_typed
from ltbench.config.resolve import settings_of
from ltbench.io.tables import csv_table, text_series
from ltbench.metric_names import ACCURACIES
from ltbench.report.page.content import (
    Answer,
    CellValue,
    Column,
    Link,
    Listing,
    Notes,
    Page,
    Section,
    Table,
)
from ltbench.report.sections.provenance import environment_blocks
from ltbench.storage.result_schema import RunResult

MAX_SHOWN_CLASSES = 1_000
"""Number of classes on the page of an entry, the rarest; its CSV file has all."""


def entry_page(entry: BoardEntry, ranked: RankedEntries, dataset: BoardDataset) -> Page:
    """Returns the page of an entry.

    Args:
        entry: The entry.
        ranked: Ranking that it is in.
        dataset: Data set of the ranking.
    """
    row, conditions = entry.row, ranked.ranking.conditions
    return Page(
        title=f"{entry.ranked.name} on {dataset.label}",
        answer=Answer(_headline(entry, ranked), _detail(entry, ranked)),
        facts=[
            ("seeds", f"{len(entry.runs):,}"),
            ("backbone", row.backbone or ""),
            ("inference", conditions.inference),
            ("epoch", conditions.selection),
            ("shot rule", conditions.shot_rule),
            ("learned parameters", f"{row.learned_parameters or 0:,}"),
        ],
        sections=[
            _people_section(entry),
            _commands_section(entry),
            _seeds_section(entry),
            _classes_section(entry),
            Section(
                "environment",
                "Environment",
                blocks=environment_blocks([run.environment for run in entry.ranked.cell.runs]),
            ),
            _settings_section(entry),
        ],
        made_with=f"ltbench {__version__}",
        links=[Link("All data sets", "../index.html"), Link(dataset.label, "index.html")],
    )


def _headline(entry: BoardEntry, ranked: RankedEntries) -> str:
    """Returns the rank and the accuracy of an entry in a sentence."""
    row, metric = entry.row, ranked.ranking.metric
    value = getattr(row, metric)
    place = f"Rank {row.rank} of {len(ranked.entries):,}" if row.rank else "Without a rank"
    reached = "" if value is None else f": {value:.1f} % {ACCURACIES[metric]}"
    few = "" if row.few is None else f", {row.few:.1f} % in few-shot classes"
    return f"{place}{reached}{few}."


def _detail(entry: BoardEntry, ranked: RankedEntries) -> str:
    row = entry.row
    sharing = sum(other.row.rank == row.rank for other in ranked.entries) - 1
    shared = (
        f"{count(sharing, 'other entry', 'other entries')} with the same rank "
        f"{'does' if sharing == 1 else 'do'} not differ significantly. "
        if row.rank and sharing
        else ""
    )
    return f"{shared}Measured by {entry.measured_by}, computed again from the predictions."


def class_accuracies_csv(entry: BoardEntry) -> str:
    """Returns the accuracy of every class as CSV: class id, name, images, mean and each seed."""
    runs = entry.ranked.cell.runs
    classes = runs[0].classes
    each = _per_class(runs)
    columns: dict[str, Any] = {
        "class_id": pd.Series(range(len(classes.names)), dtype="Int64"),
        "class": text_series(classes.names),
        "train_images": pd.Series(classes.train_images, dtype="Int64"),
        "accuracy": pd.Series(_means(each).round(4)),
    }
    columns |= {
        f"accuracy_seed_{run.seed}": pd.Series(values.round(4))
        for run, values in zip(runs, each, strict=True)
    }
    return csv_table(pd.DataFrame(columns))


def _people_section(entry: BoardEntry) -> Section:
    table = people_table("people", "Authors of the runs.", entry.contributors)
    return Section("people", "Measured by", blocks=[table])


def _commands_section(entry: BoardEntry) -> Section:
    doubts = dict.fromkeys(run.command.doubt for run in entry.runs if run.command.doubt)
    lines = "\n".join(dict.fromkeys(run.command.line for run in entry.runs))
    return Section(
        "commands",
        "Commands",
        paragraphs=[
            "Each line repeats the run of a seed: ltbench makes it from the settings that the "
            "hash of the run covers.",
            *(f"With ltbench {__version__} the numbers may differ: {doubt}." for doubt in doubts),
        ],
        blocks=[Listing("Commands", lines)],
    )


def _seeds_section(entry: BoardEntry) -> Section:
    heads = [
        Column("seed", decimals=0),
        Column("overall", decimals=1),
        Column("mean-class", decimals=1, shown="more"),
        Column("many", decimals=1, shown="wide"),
        Column("medium", decimals=1, shown="wide"),
        Column("few", decimals=1),
        Column("ECE", "expected calibration error in percent", decimals=1, shown="more"),
        Column("train s", "seconds of the training", decimals=1, shown="more"),
        Column("memory MB", "peak memory", decimals=0, shown="more"),
        Column(
            "compared",
            "part of the data set that was compared with the one known to the board",
            shown="wide",
        ),
        Column("pack", shown="wide"),
        Column("hash", "first digits of the SHA-256 of the settings", shown="more"),
    ]
    rows: list[tuple[CellValue, ...]] = [
        (
            run.seed,
            *(run.metrics.value(key) for key in (*ACCURACIES, "ece")),
            run.training.seconds,
            run.peak_memory_mb,
            verified.data,
            verified.pack,
            run.hash,
        )
        for run, verified in zip(entry.ranked.cell.runs, entry.runs, strict=True)
    ]
    return Section(
        "seeds",
        "Seeds",
        blocks=[
            Table("seeds", "Accuracies of each run in percent, and its pack.", heads, rows),
            Notes("Warnings of the runs", _unique_warnings(entry.ranked.cell.runs)),
        ],
    )


def _unique_warnings(runs: Sequence[RunResult]) -> list[str]:
    return list(dict.fromkeys(text for run in runs for text in run.warnings))


def _classes_section(entry: BoardEntry) -> Section:
    runs = entry.ranked.cell.runs
    classes = runs[0].classes
    counts = np.array(classes.train_images, dtype=np.int64)
    means = _means(_per_class(runs))
    rule = SHOT_RULES.get(runs[0].metrics.shot_rule, DEFAULT_RULE)
    group_of = {
        int(k): name
        for name, members in rule.groups(counts).items()
        for k in np.flatnonzero(members)
    }
    order = np.argsort(counts, kind="stable")
    shown = order[:MAX_SHOWN_CLASSES]
    rows: list[tuple[CellValue, ...]] = [
        (
            classes.names[k],
            group_of.get(int(k), ""),
            int(counts[k]),
            None if np.isnan(means[k]) else float(means[k]),
        )
        for k in shown
    ]
    left = f" The {len(shown):,} rarest of {len(order):,}." if len(shown) < len(order) else ""
    heads = [
        Column("class"),
        Column("shot group", filtered=True, shown="wide"),
        Column("training images", decimals=0),
        Column("accuracy %", decimals=1),
    ]
    return Section(
        "classes",
        "Accuracy of each class",
        blocks=[
            Table(
                "classes",
                f"Accuracy of each class, means over seeds, the rarest class first.{left}",
                heads,
                rows,
                folded=len(rows) > 50,
            ),
            Table(
                "files",
                "All classes and seeds, as a file.",
                [Column("file"), Column("content")],
                [(Link(f"{entry.page}.csv", f"{entry.page}.csv"), "accuracy by class and seed")],
            ),
        ],
    )


def _settings_section(entry: BoardEntry) -> Section:
    spec = entry.ranked.cell.spec
    paths = {f"{kind}.{key}" for kind, choice in spec.choices().items() for key in choice.paths}
    rows = [
        (key, as_typed(value))
        for key, value in settings_of(spec).items()
        if key not in paths and key != "seed"
    ]
    table = Table(
        "settings",
        "Every setting but the seed and the paths, as for --set.",
        [Column("setting"), Column("value")],
        rows,
        folded=True,
    )
    identities = [
        (kind, choice.identity) for kind, choice in spec.choices().items() if choice.identity
    ]
    known = Table(
        "identities",
        "Identities of images, labels and pretrained weights, which the hash of the run covers.",
        [Column("component"), Column("identity")],
        identities,
        folded=True,
    )
    return Section("settings", "Settings", blocks=[table, *([known] if identities else [])])


def _per_class(runs: Sequence[RunResult]) -> NDArray[np.float64]:
    """Returns the accuracies of the classes, (S, K) for S seeds; NaN without test images."""
    return np.array([run.metrics.per_class for run in runs], dtype=np.float64)


def _means(each: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns means over the seeds, (K,); NaN for classes without test images in a seed."""
    means: NDArray[np.float64] = each.mean(axis=0)
    return means
