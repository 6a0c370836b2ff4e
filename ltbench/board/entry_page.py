"""Page of an entry: authors, commands, accuracies by seed and class, environment, settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ltbench import __version__
from ltbench.analysis.metrics import DEFAULT_RULE, SHOT_RULES
from ltbench.board.entries import BoardDataset, Entry, RankedEntries, seeds_text
from ltbench.board.people import PEOPLE_COLUMNS, people_row
from ltbench.config.options import as_typed
from ltbench.config.resolve import settings_of
from ltbench.io.tables import csv_table, text_series
from ltbench.metric_names import ACCURACIES
from ltbench.report.page.content import (
    CellValue,
    Column,
    Link,
    Listing,
    Page,
    Section,
    SectionBlock,
    Table,
)
from ltbench.storage.result_schema import Environment, RunResult

MAX_SHOWN_CLASSES = 1_000
"""Number of classes on the page of an entry, the rarest; its CSV file has all."""


def entry_page(entry: Entry, ranked: RankedEntries, dataset: BoardDataset) -> Page:
    """Returns the page of an entry.

    Args:
        entry: The entry.
        ranked: Ranking that it is in.
        dataset: Data set of the ranking.
    """
    row, conditions = entry.row, ranked.ranking.conditions
    metric = ACCURACIES[ranked.ranking.metric]
    place = f"Rank {row.rank} of {len(ranked.entries):,}" if row.rank else "No rank"
    return Page(
        title=f"{entry.ranked.name} on {dataset.label}",
        lead=f"{place} by {metric} accuracy with inference {conditions.inference}. Measured by "
        f"{entry.measured_by}, and computed again from the stored predictions.",
        facts=[
            *(
                (f"{name} %", f"{value:.1f}")
                for key, name in ACCURACIES.items()
                if (value := getattr(row, key)) is not None
            ),
            ("seeds", f"{len(entry.runs):,}"),
        ],
        sections=[
            _people_section(entry),
            _commands_section(entry),
            _seeds_section(entry),
            _classes_section(entry),
            _environment_section(entry),
            _settings_section(entry),
        ],
        made_with=f"ltbench {__version__}",
        links=[Link("All data sets", "../index.html"), Link(dataset.label, "index.html")],
    )


def class_accuracies_csv(entry: Entry) -> str:
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


def _people_section(entry: Entry) -> Section:
    rows = [people_row(each) for each in entry.contributors]
    table = Table("people", "Authors of the runs.", PEOPLE_COLUMNS, rows)
    return Section("people", "Measured by", blocks=[table])


def _commands_section(entry: Entry) -> Section:
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


def _seeds_section(entry: Entry) -> Section:
    heads = [
        Column("seed", decimals=0),
        *(Column(f"{name} %", decimals=1) for name in ACCURACIES.values()),
        Column("ECE %", "expected calibration error", decimals=1),
        Column("train s", "seconds of the training", decimals=1),
        Column("memory MB", "peak memory", decimals=0),
        Column("data", "part of the data set that was compared with the one known to the board"),
        Column("pack"),
        Column("hash", "first digits of the SHA-256 of the settings"),
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
        findings=list(_unique_warnings(entry.ranked.cell.runs)),
        blocks=[Table("seeds", "Each run, with the checks that it passed.", heads, rows)],
    )


def _unique_warnings(runs: Sequence[RunResult]) -> Iterator[str]:
    """Yields the warnings that runs have recorded."""
    for text in dict.fromkeys(text for run in runs for text in run.warnings):
        yield f"Warning of the run: {text}"


def _classes_section(entry: Entry) -> Section:
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
        Column("shot group", filtered=True),
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


def _environment_section(entry: Entry) -> Section:
    """Returns a table of each environment, without the recorded commands: texts of authors."""
    seeds: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for run in entry.ranked.cell.runs:
        seeds.setdefault(tuple(_environment_rows(run.environment)), []).append(run.seed)
    blocks: list[SectionBlock] = [
        Table(
            f"environment_{number}",
            f"Environment of {'seed' if len(each) == 1 else 'seeds'} {seeds_text(each)}.",
            [Column("property"), Column("value")],
            rows,
        )
        for number, (rows, each) in enumerate(seeds.items())
    ]
    return Section("environment", "Environment", blocks=blocks)


def _environment_rows(environment: Environment) -> Iterator[tuple[str, str]]:
    for key, value in environment.model_dump(exclude={"command"}).items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {version or 'none'}" for name, version in value.items())
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        yield key.replace("_", " "), str(value)


def _settings_section(entry: Entry) -> Section:
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
