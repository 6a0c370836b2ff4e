"""Columns of `Results.to_frame`, with their types and meanings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ltbench.metric_names import ACCURACIES
from ltbench.specs import SPECS
from ltbench.storage.result_schema import RunResult
from ltbench.storage.valid_intervals import valid_interval

DType = Literal["Int64", "float64", "boolean", "string", "category"]


@dataclass(frozen=True)
class RunColumn:
    """Column of a data frame with one row a run.

    Args:
        name: Name of the column.
        dtype: Type in pandas.
        help: Meaning of the values.
        value: Function from a run to its value; None where it is unknown.
    """

    name: str
    dtype: DType
    help: str
    value: Callable[[RunResult], Any]


def _component(kind: str) -> RunColumn:
    return RunColumn(
        kind, "category", f"name of the {kind}", lambda run: getattr(run.spec, kind).name
    )


def _train(key: str, dtype: DType, help: str) -> RunColumn:
    return RunColumn(f"train.{key}", dtype, help, lambda run: getattr(run.spec.train, key))


def _setting(key: str, dtype: DType, help: str) -> RunColumn:
    return RunColumn(key, dtype, help, lambda run: getattr(run.spec, key))


def _metric(name: str, help: str) -> RunColumn:
    return RunColumn(name, "float64", help, lambda run: run.metrics.value(name))


def _bound(name: str, place: int) -> RunColumn:
    side, bound = ("low", "lower") if place == 0 else ("high", "upper")

    def value(run: RunResult) -> float | None:
        interval = valid_interval(run.metrics, name)
        return None if interval is None else interval[place]

    return RunColumn(
        f"{name}_ci_{side}",
        "float64",
        f"{bound} bound of its 95 % interval over test images",
        value,
    )


def _train_seconds(run: RunResult) -> float:
    return run.training.seconds + (run.refinement.seconds if run.refinement else 0.0)


RUN_COLUMNS = (
    RunColumn("hash", "string", "hash of the run", lambda run: run.hash),
    *map(_component, SPECS),
    _setting("seed", "Int64", "seed of the training"),
    _setting("data_seed", "Int64", "seed of the long-tailed subset and of its hold-out"),
    _setting("split", "category", "evaluated split: test, or val"),
    _setting("select", "category", "rule of epoch selection: last, or val"),
    _setting("precision", "category", "requested precision"),
    _setting("compile", "boolean", "whether the backbone's blocks were compiled"),
    _setting("on_corrupt", "category", "treatment of images that cannot be decoded"),
    _train("epochs", "Int64", "passes over the training images"),
    _train("batch_size", "Int64", "images in an optimiser step"),
    _train("accumulate", "Int64", "parts of a batch that go through the model one by one"),
    _train("lr", "float64", "learning rate"),
    _metric("accuracy", "overall accuracy in percent"),
    _metric("mean_class", "mean of the accuracies of the classes"),
    _metric("many", "mean over the many-shot classes; NaN without any"),
    _metric("medium", "mean over the medium-shot classes"),
    _metric("few", "mean over the few-shot classes"),
    _metric("harmonic", "harmonic mean of the shot groups"),
    _metric("macro_f1", "mean F1 of the classes"),
    _metric("ece", "expected calibration error in percent"),
    *(_bound(name, place) for name in ACCURACIES for place in (0, 1)),
    RunColumn("shot_rule", "category", "rule of the shot groups", lambda r: r.metrics.shot_rule),
    RunColumn("test_images", "Int64", "number of test images", lambda r: r.metrics.test_images),
    RunColumn(
        "learned_parameters", "Int64", "number of trained parameters", lambda r: r.learned.total
    ),
    RunColumn(
        "learned_percent",
        "float64",
        "learned parameters in percent of the backbone's",
        lambda run: run.learned.percent,
    ),
    RunColumn(
        "selected_epoch",
        "Int64",
        "epoch whose weights were kept, from 0; NA where nothing was trained",
        lambda run: run.selection.epoch,
    ),
    RunColumn("train_seconds", "float64", "seconds of training and refinement", _train_seconds),
    RunColumn(
        "evaluation_seconds",
        "float64",
        "seconds of the evaluation",
        lambda run: run.evaluation.seconds,
    ),
    RunColumn(
        "images_per_second",
        "float64",
        "images per second in training",
        lambda run: run.training.images_per_second,
    ),
    RunColumn("peak_memory_mb", "float64", "peak memory in MiB", lambda run: run.peak_memory_mb),
    RunColumn("device", "category", "hardware", lambda run: run.environment.device),
    RunColumn(
        "used_precision", "category", "precision that was used", lambda r: r.environment.precision
    ),
    RunColumn("path", "string", "run directory", lambda run: str(run.path)),
    RunColumn(
        "comparable",
        "boolean",
        "whether it may be compared with others: false for a quick look",
        lambda run: run.comparable,
    ),
)
"""Columns of every frame; those of options and tags follow."""
