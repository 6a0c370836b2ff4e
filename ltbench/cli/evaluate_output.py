"""Output of `ltbench eval --split train`: training accuracies beside those of the run's split."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from ltbench.cli.output import print_evaluation_title, print_json
from ltbench.config.runspec import Choice, RunSpec
from ltbench.io.console import console
from ltbench.io.fitted_table import FittedTable
from ltbench.metric_names import ACCURACIES
from ltbench.storage.result_schema import Metrics


def print_beside_train(
    metrics: Metrics,
    train: Mapping[str, float | None],
    train_images: int,
    spec: RunSpec,
    inference: Choice,
    *,
    json: bool,
) -> None:
    """Prints accuracies on the training images, on the run's split, and their gap.

    Args:
        metrics: Metrics of the run's split.
        train: Accuracies on the training images in percent, by metric.
        train_images: Number of evaluated training images.
        spec: The run.
        inference: Inference of the predictions.
        json: Whether to print JSON.
    """
    gaps = {name: _gap(train[name], metrics.value(name)) for name in ACCURACIES}
    if json:
        print_json(
            {
                "inference": dataclasses.asdict(inference),
                "metrics": metrics.model_dump(),
                "train": {**train, "images": train_images},
                "gap": gaps,
            }
        )
        return
    out = console()
    print_evaluation_title(out, metrics, spec, inference)
    table = FittedTable("accuracy")
    for column in ("train %", f"{spec.split} %", "95 % interval", "gap", "classes"):
        table.add_column(column, right=True)
    sizes = metrics.group_classes
    for name, label in ACCURACIES.items():
        interval = metrics.intervals[name]
        table.add_row(
            label,
            _number(train[name]),
            _number(metrics.value(name)),
            "-" if interval is None else f"{interval[0]:.1f} to {interval[1]:.1f}",
            _number(gaps[name]),
            str(sizes.get(name, sizes["all"])),
        )
    out.print(table)
    out.print(
        f"{train_images:,} training and {metrics.test_images:,} {spec.split} images; the interval "
        f"is that of {spec.split}, the gap is train minus {spec.split}",
        soft_wrap=True,
    )


def _gap(train: float | None, held: float | None) -> float | None:
    return None if train is None or held is None else train - held


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
