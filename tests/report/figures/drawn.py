"""Examples of all figures, with a given number of methods and long names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ltbench.report import figures
from ltbench.report.figures.canvas import Canvas

SOME = ["lift_plus", "full", "lora (rank=8), loss=cross_entropy", "classifier_only"]
METRICS = ["overall", "mean-class", "many-shot", "medium-shot", "few-shot"]


def xs(line: Line2D) -> NDArray[np.float64]:
    """Returns the horizontal positions of a line, in points."""
    return np.asarray(line.get_xdata(), dtype=float)


def ys(line: Line2D) -> NDArray[np.float64]:
    """Returns the vertical positions of a line, in points; they grow downwards."""
    return np.asarray(line.get_ydata(), dtype=float)


def names(count: int) -> list[str]:
    long = [f"arbitrary_lightweight (share={i}, loss=cross_entropy)" for i in range(count)]
    return [*SOME, *long][:count]


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def head_to_tail(count: int, classes: int = 1000) -> Canvas:
    images = np.geomspace(1280, 5, classes).astype(int)
    accuracies = random().uniform(40, 100, (count, classes))
    accuracies[:, ::7] = np.nan
    return figures.draw_head_to_tail(images, dict(zip(names(count), accuracies, strict=True)))


def shot_groups(count: int) -> Canvas:
    means = random().uniform(40, 98, (count, 5))
    means[0, 4] = np.nan
    return figures.draw_shot_groups(names(count), METRICS, means, means - 2, means + 2)


def narrow_shot_groups(count: int) -> Canvas:
    means = random().uniform(40, 98, (count, 5))
    means[0, 4] = np.nan
    ranks = list(range(1, count + 1))
    return figures.draw_narrow_shot_groups(
        names(count), METRICS, means, means - 2, means + 2, ranks=ranks
    )


def trade_off(count: int) -> Canvas:
    draws = random()
    accuracy, cost = draws.uniform(70, 80, count), 10 ** draws.uniform(3, 8, count)
    cost[0] = 0
    return figures.draw_trade_off(
        names(count), accuracy, accuracy - 1, accuracy + 1, cost, "seconds"
    )


def share_panels(count: int) -> Canvas:
    draws = random()
    lines = {}
    for number, name in enumerate(names(count)):
        size = 1 if number == 3 else 4
        means = draws.uniform(40, 98, (size, 4))
        shares = np.zeros(1) if number == 3 else np.array([0.1, 1.0, 10.0, 97.9])
        rates = draws.choice([0.001, 0.01, 0.03], size)
        lines[name] = figures.ShareLine(
            shares, rates, means, means - 2, means + 2, shares, rates[::-1], means - 3
        )
    return figures.draw_share_panels(lines, [one for one in METRICS if one != "mean-class"])


def critical_difference(count: int) -> Canvas:
    ranks = np.array([1.0 + rank for rank in random().permutation(count)])
    return figures.draw_critical_difference(names(count), ranks, 2.5, [tuple(range(count))])


def significance_matrix(count: int) -> Canvas:
    accuracy = random().uniform(40, 98, count)
    differences = accuracy[:, None] - accuracy
    return figures.draw_significance_matrix(names(count), differences, np.exp(-np.abs(differences)))


def score_grid(count: int) -> Canvas:
    scores = random().uniform(40, 98, (count, 4))
    scores[0, 0] = np.nan
    columns = ["places_lt", "imagenet_lt", "cifar100_lt (ratio=100)", "inat2018"]
    return figures.draw_score_grid(
        names(count), columns, scores, average_ranks=np.arange(1.0, count + 1)
    )


def training_curves(count: int) -> Canvas:
    curves = random().uniform(0, 3, (count, 3, 10))
    return figures.draw_training_curves(
        dict(zip(names(count), curves, strict=True)), "training loss"
    )


def calibration(count: int) -> Canvas:
    at = np.linspace(10, 90, 15)
    bins = {name: (at, at - i / 8, np.full(15, 100 / 15)) for i, name in enumerate(names(count))}
    return figures.draw_calibration(bins, dict.fromkeys(bins, 12.3))


def group_calibration(count: int) -> Canvas:
    at = np.linspace(10, 90, 15)
    bins = {group: (at, at - 5, np.full(15, 100 / 15)) for group in ("many", "medium", "few")}
    return figures.draw_group_calibration(bins, dict.fromkeys(bins, float(count)))


def takers(count: int) -> Canvas:
    taken = [figures.Taker("black-footed albatross", "many", 30), figures.Taker("owl", "few", 4.5)]
    return figures.draw_takers(
        [f"a class with a long name, number {i}" for i in range(count)],
        np.arange(5, 5 + count),
        np.linspace(0, 60, count),
        [taken] * count,
    )


GROUPS = ["many-shot", "medium-shot", "few-shot"]


def class_similarity(count: int) -> Canvas:
    cosines = random().uniform(-0.2, 0.9, (8, 8))
    np.fill_diagonal(cosines, np.nan)
    groups = {"many": (0, 1), "medium": (1, 10), "few": (10, 16)}
    one = figures.SimilarityMap(np.arange(0.0, 17, 2), cosines, groups, {("few", "many"): 0.25})
    return figures.draw_class_similarity(dict.fromkeys(names(count), one))


def intra_class_distances(count: int) -> Canvas:
    counts = {"many": np.array([0, 9, 4, 1]), "medium": np.zeros(4), "few": np.array([1, 0, 5, 2])}
    one = figures.DistanceCounts(np.linspace(0, 2, 5), counts, counts)
    return figures.draw_intra_class_distances(dict.fromkeys(names(count), one), axis="distance")


def train_test_excess(count: int) -> Canvas:
    means = random().normal(0.05, 0.03, (count, 3))
    means[0, 0] = np.nan
    return figures.draw_train_test_excess(
        names(count), GROUPS, means, means - 0.02, means + 0.02, axis="distance"
    )


def train_test_accuracy(count: int) -> Canvas:
    test = random().uniform(40, 90, (count, 3))
    test[0, 2] = np.nan
    return figures.draw_train_test_accuracy(names(count), GROUPS, test + 8, test)


EVERY: list[Callable[[int], Canvas]] = [
    head_to_tail,
    shot_groups,
    narrow_shot_groups,
    trade_off,
    critical_difference,
    significance_matrix,
    score_grid,
    training_curves,
    calibration,
    group_calibration,
    takers,
    class_similarity,
    intra_class_distances,
    train_test_excess,
    train_test_accuracy,
    share_panels,
]
