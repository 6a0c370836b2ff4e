"""Examples of all figures, with a given number of methods and long names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from ltbench.report import figures

SOME = ["lift_plus", "full", "lora (rank=8), loss=cross_entropy", "classifier_only"]
METRICS = ["accuracy", "mean_class", "many", "medium", "few"]


def names(count: int) -> list[str]:
    long = [f"arbitrary_lightweight (share={i}), loss=cross_entropy" for i in range(count)]
    return [*SOME, *long][:count]


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def head_to_tail(count: int, classes: int = 1000) -> Figure:
    images = np.geomspace(1280, 5, classes).astype(int)
    accuracies = random().uniform(40, 100, (count, classes))
    accuracies[:, ::7] = np.nan
    return figures.draw_head_to_tail(images, dict(zip(names(count), accuracies, strict=True)))


def shot_groups(count: int) -> Figure:
    means = random().uniform(40, 98, (count, 5))
    means[0, 4] = np.nan
    return figures.draw_shot_groups(names(count), METRICS, means, means - 2, means + 2)


def trade_off(count: int) -> Figure:
    accuracy, cost = random().uniform(70, 80, count), random().uniform(1e3, 1e8, count)
    cost[0] = 0
    return figures.draw_trade_off(
        names(count), accuracy, accuracy - 1, accuracy + 1, cost, "seconds"
    )


def critical_difference(count: int) -> Figure:
    ranks = random().permutation(count) + 1.0
    return figures.draw_critical_difference(names(count), ranks, 2.5, [tuple(range(count))])


def significance_matrix(count: int) -> Figure:
    accuracy = random().uniform(40, 98, count)
    differences = accuracy[:, None] - accuracy
    return figures.draw_significance_matrix(names(count), differences, np.exp(-np.abs(differences)))


def training_curves(count: int) -> Figure:
    curves = random().uniform(0, 3, (count, 3, 10))
    return figures.draw_training_curves(
        dict(zip(names(count), curves, strict=True)), "training loss"
    )


def calibration(count: int) -> Figure:
    at = np.linspace(10, 90, 15)
    bins = {name: (at, at - i, np.full(15, 100 / 15)) for i, name in enumerate(names(count))}
    return figures.draw_calibration(bins, dict.fromkeys(bins, 12.3))


EVERY: list[Callable[[int], Figure]] = [
    head_to_tail,
    shot_groups,
    trade_off,
    critical_difference,
    significance_matrix,
    training_curves,
    calibration,
]
