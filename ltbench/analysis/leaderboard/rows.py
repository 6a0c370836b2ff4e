"""Rows and columns of a leaderboard: the schema of its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ltbench.analysis.columns import column_field
from ltbench.analysis.leaderboard.ranking import RankedCell, Ranking
from ltbench.analysis.leaderboard.significance import (
    CLAIM_METHODS,
    NO_CLAIM_NOT_TESTED,
    NO_CLAIM_ONE_SEED,
)
from ltbench.config.minimal_settings import as_line
from ltbench.metric_names import ACCURACIES
from ltbench.published import PublishedResult
from ltbench.specs import Settings

LEADERBOARD_SCHEMA = 3
"""Version of the columns. New columns are appended; none changes its name, place or meaning."""

PUBLISHED_PREFIX = "published: "
MEASURED = "measured"
_COLUMN_KINDS = ("backbone", "method", "loss", "augmentation", "inference", "head", "init")


@dataclass(frozen=True, kw_only=True)
class Row:
    """Row of a leaderboard: a cell of measured runs, or a published result.

    None means unknown, and is empty in files. Accuracies, their intervals and calibration errors
    are in percent.
    """

    rank: int | None = column_field(
        "Int64",
        "rank in its ranking, shared by rows that do not differ significantly; none if published",
    )
    dataset: str = column_field("string", "title of the data set, with its unusual options")
    backbone: str | None = column_field("string", "pretrained model")
    method: str = column_field("string", "which parameters of the encoder are learned")
    loss: str | None = column_field("string", "loss")
    augmentation: str | None = column_field("string", "training crops")
    inference: str | None = column_field("string", "test views")
    head: str | None = column_field("string", "classifier")
    init: str | None = column_field("string", "initial weight of the head")
    seeds: int | None = column_field("Int64", "number of runs with different seeds")
    accuracy: float | None = column_field("float64", "overall accuracy, mean over seeds")
    accuracy_std: float | None = column_field(
        "float64", "standard deviation of `accuracy` over seeds"
    )
    accuracy_ci_low: float | None = column_field(
        "float64", "lower bound of the 95 % interval of `accuracy`, over seeds and test images"
    )
    accuracy_ci_high: float | None = column_field("float64", "upper bound of the same interval")
    mean_class: float | None = column_field("float64", "mean of the accuracies of the classes")
    many: float | None = column_field("float64", "mean over many-shot classes")
    medium: float | None = column_field("float64", "mean over medium-shot classes")
    few: float | None = column_field("float64", "mean over few-shot classes")
    ece: float | None = column_field("float64", "expected calibration error")
    learned_parameters: int | None = column_field(
        "Int64", "number of trained parameters, with the head"
    )
    learned_percent: float | None = column_field(
        "float64", "learned parameters in percent of the backbone's"
    )
    epochs: int | None = column_field("Int64", "passes over the training images")
    train_seconds: float | None = column_field(
        "float64", "seconds of training and refinement, mean over seeds"
    )
    images_per_second: float | None = column_field(
        "float64", "images per second in training, mean over seeds"
    )
    peak_memory_mb: float | None = column_field(
        "float64", "peak memory in MB, largest value over seeds"
    )
    p_value_vs_best: float | None = column_field(
        "float64",
        "p value of the difference to the best row, among rows with two seeds or more or of a "
        "method that no seed changes, corrected for all pairs of rows (max-T); none with one seed",
        None,
    )
    significant: bool | None = column_field(
        "boolean", "whether the row is significantly worse than the best: p below 1 - level"
    )
    selection: str | None = column_field("string", "rule of epoch selection: last, or val")
    shot_rule: str | None = column_field("string", "rule of the shot groups")
    source: str = column_field("string", f"'{MEASURED}', or '{PUBLISHED_PREFIX}' and the source")
    spec: str = column_field("string", "settings of the run, for `ltbench run --set`")
    claim: str | None = column_field(
        "string",
        f"scope of rank and p value: '{CLAIM_METHODS}', valid for other seeds and test images; "
        f"'{NO_CLAIM_ONE_SEED}' and '{NO_CLAIM_NOT_TESTED}', no claim about the method",
    )
    mean_class_std: float | None = column_field(
        "float64", "standard deviation of `mean_class` over seeds"
    )
    mean_class_ci_low: float | None = column_field(
        "float64", "lower bound of the interval of `mean_class`, as `accuracy_ci_low`"
    )
    mean_class_ci_high: float | None = column_field("float64", "upper bound of the same interval")
    many_std: float | None = column_field("float64", "standard deviation of `many` over seeds")
    many_ci_low: float | None = column_field(
        "float64", "lower bound of the interval of `many`, as `accuracy_ci_low`"
    )
    many_ci_high: float | None = column_field("float64", "upper bound of the same interval")
    medium_std: float | None = column_field("float64", "standard deviation of `medium` over seeds")
    medium_ci_low: float | None = column_field(
        "float64", "lower bound of the interval of `medium`, as `accuracy_ci_low`"
    )
    medium_ci_high: float | None = column_field("float64", "upper bound of the same interval")
    few_std: float | None = column_field("float64", "standard deviation of `few` over seeds")
    few_ci_low: float | None = column_field(
        "float64", "lower bound of the interval of `few`, as `accuracy_ci_low`"
    )
    few_ci_high: float | None = column_field("float64", "upper bound of the same interval")


COLUMNS = tuple(fields(Row))
"""Columns in the order of the files; their `metadata` has `dtype` (pandas), `help`, and `decimals`
(None: four significant digits)."""


def ranking_rows(ranking: Ranking) -> list[Row]:
    """Returns the rows of a ranking, best first."""
    return [_measured_row(entry, ranking) for entry in ranking.entries]


def published_row(result: PublishedResult, dataset: str) -> Row:
    """Returns the row of a published result.

    Args:
        result: Published numbers and their source.
        dataset: Label of the data set.
    """
    settings = result.run_settings
    chosen = {kind: _component_name(settings, kind) for kind in _COLUMN_KINDS}
    metrics = {name: float(value) for name, value in result.metrics.items()}  # 80 is 80.0 in files
    values: dict[str, Any] = {**chosen, **metrics}
    return Row(
        **values, dataset=dataset, source=PUBLISHED_PREFIX + result.source, spec=as_line(settings)
    )


def _measured_row(entry: RankedCell, ranking: Ranking) -> Row:
    cell, spec = entry.cell, entry.cell.spec
    seconds = [
        trained + (refined.seconds if refined else 0.0)
        for trained, refined in zip(
            cell.parts("training.seconds"), cell.parts("refinement"), strict=True
        )
    ]
    memory = [*cell.parts("peak_memory_mb"), *(run.peak_memory_mb for run in cell.repeats)]
    names = {kind: getattr(spec, kind).name for kind in _COLUMN_KINDS}
    means = {name: cell.mean(name) for name in (*ACCURACIES, "ece")}
    spreads: dict[str, float | None] = {}
    for name in ACCURACIES:
        bounds = entry.intervals.get(name, (None, None))
        spreads[f"{name}_std"] = cell.deviation(name)
        spreads[f"{name}_ci_low"], spreads[f"{name}_ci_high"] = bounds
    values: dict[str, Any] = {**names, **means, **spreads}
    return Row(
        **values,
        rank=entry.rank,
        dataset=ranking.conditions.dataset,
        seeds=len(cell.runs),
        learned_parameters=cell.runs[0].learned.total,
        learned_percent=cell.runs[0].learned.percent,
        epochs=cell.runs[0].training.epochs,
        train_seconds=_mean_over_seeds(seconds),
        images_per_second=_mean_over_seeds(cell.parts("training.images_per_second")),
        peak_memory_mb=max(memory),
        p_value_vs_best=entry.p,
        significant=entry.significant,
        selection=ranking.conditions.selection,
        shot_rule=ranking.conditions.shot_rule,
        source=MEASURED,
        spec=as_line(entry.settings),
        claim=entry.claim,
    )


def _component_name(settings: Settings, kind: str) -> str | None:
    return str(settings[kind]) if kind in settings else None


def _mean_over_seeds(values: Sequence[float | None]) -> float | None:
    """Returns the mean; None where a seed has no value."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
