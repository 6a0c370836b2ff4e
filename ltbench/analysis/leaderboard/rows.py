"""The rows of a leaderboard: the schema of its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import numpy as np

from ltbench.analysis.leaderboard.ranking import Entry, Ranking
from ltbench.analysis.leaderboard.significance import CLAIM, NOT_TESTED, ONE_SEED
from ltbench.config.shorthand import as_line
from ltbench.metric_names import ACCURACIES
from ltbench.published import PublishedResult
from ltbench.specs import Settings

SCHEMA = 2
"""Of the columns: new ones come at the end, and none changes its name, place or meaning."""

DType = Literal["Int64", "float64", "boolean", "string"]
PUBLISHED = "published: "
MEASURED = "measured"
_KINDS = ("backbone", "method", "loss", "augmentation", "inference", "head", "init")


def _column(dtype: DType, help: str, decimals: int | None = 4) -> Any:
    return field(default=None, metadata={"dtype": dtype, "help": help, "decimals": decimals})


@dataclass(frozen=True, kw_only=True)
class Row:
    """A cell of measured runs, or a published result. None is unknown, and empty in files.

    Accuracies, their intervals and calibration errors are in percent.
    """

    rank: int | None = _column(
        "Int64", "place in its ranking, shared by those that are not told apart; none if published"
    )
    dataset: str = _column("string", "data set, and what is unusual about its images")
    backbone: str | None = _column("string", "pretrained model")
    method: str = _column("string", "which parameters of the encoder are learned")
    loss: str | None = _column("string", "loss")
    augmentation: str | None = _column("string", "training crops")
    inference: str | None = _column("string", "test views")
    head: str | None = _column("string", "classifier")
    init: str | None = _column("string", "how the head's weight starts")
    seeds: int | None = _column("Int64", "number of runs with different seeds")
    accuracy: float | None = _column("float64", "overall accuracy, mean over seeds")
    accuracy_std: float | None = _column("float64", "its standard deviation over seeds")
    accuracy_ci_low: float | None = _column(
        "float64", "lower bound of its 95 % interval, over other seeds and other test images"
    )
    accuracy_ci_high: float | None = _column("float64", "upper bound")
    mean_class: float | None = _column("float64", "mean of the classes' accuracies")
    many: float | None = _column("float64", "mean over many-shot classes")
    medium: float | None = _column("float64", "mean over medium-shot classes")
    few: float | None = _column("float64", "mean over few-shot classes")
    ece: float | None = _column("float64", "expected calibration error")
    learned_parameters: int | None = _column("Int64", "parameters that are trained, with the head")
    learned_percent: float | None = _column("float64", "of the backbone's parameters")
    epochs: int | None = _column("Int64", "passes over the training images")
    train_seconds: float | None = _column("float64", "training and second stage, mean over seeds")
    images_per_second: float | None = _column("float64", "in training, mean over seeds")
    peak_memory_mb: float | None = _column("float64", "of the run that took most")
    p_value_vs_best: float | None = _column(
        "float64",
        "of the difference to the best row with two seeds or more, corrected for all pairs of rows "
        "(max-T); none with one seed",
        None,
    )
    significant: bool | None = _column(
        "boolean", "whether it is worse than the best: p below 1 - level"
    )
    selection: str | None = _column("string", "epoch whose weights are kept: last, or val")
    shot_rule: str | None = _column("string", "where many ends and few begins")
    source: str = _column("string", f"'{MEASURED}', or '{PUBLISHED}' and where")
    spec: str = _column("string", "settings that make it: `ltbench run --set` each")
    claim: str | None = _column(
        "string",
        f"what rank and p value speak of: '{CLAIM}', whatever the seeds and the test images; "
        f"'{ONE_SEED}' and '{NOT_TESTED}' are no claim about the method",
    )


COLUMNS = tuple(fields(Row))
"""In the order of the files; `metadata` has `dtype` (pandas), `help`, and `decimals` (None: four
significant digits)."""


def rows_of(ranking: Ranking) -> list[Row]:
    """Returns the rows of a ranking, best first."""
    return [_measured(entry, ranking) for entry in ranking.entries]


def published_row(result: PublishedResult, dataset: str) -> Row:
    """Returns the row of a published result.

    Args:
        result: The numbers and where they are from.
        dataset: Label of its data set.
    """
    settings = result.run_settings
    chosen = {kind: _named(settings, kind) for kind in _KINDS}
    values: dict[str, Any] = {**chosen, **result.metrics}
    return Row(**values, dataset=dataset, source=PUBLISHED + result.source, spec=as_line(settings))


def _measured(entry: Entry, ranking: Ranking) -> Row:
    cell, spec = entry.cell, entry.cell.spec
    metrics = [run.metrics for run in cell.runs]
    training = [run.training for run in cell.runs]
    seconds = [
        run.training.seconds + (run.refinement.seconds if run.refinement else 0.0)
        for run in cell.runs
    ]
    low, high = entry.interval or (None, None)
    accuracies = [each.accuracy for each in metrics]
    names = {kind: choice.name for kind, choice in spec.choices().items() if kind in _KINDS}
    means = {name: _mean([each.value(name) for each in metrics]) for name in (*ACCURACIES, "ece")}
    values: dict[str, Any] = {**names, **means}
    return Row(
        **values,
        rank=entry.rank,
        dataset=ranking.conditions.dataset,
        seeds=len(cell.runs),
        accuracy_std=float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else None,
        accuracy_ci_low=low,
        accuracy_ci_high=high,
        learned_parameters=cell.runs[0].learned.total,
        learned_percent=cell.runs[0].learned.percent,
        epochs=training[0].epochs,
        train_seconds=_mean(seconds),
        images_per_second=_mean([each.images_per_second for each in training]),
        peak_memory_mb=max(run.peak_memory_mb for run in cell.runs),
        p_value_vs_best=entry.p,
        significant=entry.significant,
        selection=ranking.conditions.selection,
        shot_rule=ranking.conditions.shot_rule,
        source=MEASURED,
        spec=as_line(entry.settings),
        claim=entry.claim,
    )


def _named(settings: Settings, kind: str) -> str | None:
    return str(settings[kind]) if kind in settings else None


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean, where every seed has a value."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
