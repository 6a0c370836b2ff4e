"""Figures of diagnoses: accuracy gap, train-test distance, intra-class distances, similarity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.diagnosis.group_diagnosis import stored_groups
from ltbench.analysis.diagnosis.method_diagnosis import OVERALL, MethodDiagnosis
from ltbench.analysis.metrics import SHOT_GROUPS
from ltbench.metric_names import ACCURACIES
from ltbench.report.figures.class_similarity import (
    MAX_MAPS,
    SimilarityMap,
    draw_class_similarity,
)
from ltbench.report.figures.intra_class_distances import (
    MAX_ROWS,
    DistanceCounts,
    draw_intra_class_distances,
)
from ltbench.report.figures.train_test_accuracy import draw_train_test_accuracy
from ltbench.report.figures.train_test_excess import draw_train_test_excess
from ltbench.report.page.content import Picture
from ltbench.report.page.figure_set import FigureSet
from ltbench.storage.diagnosis_schema import Diagnosis

Methods = Sequence[MethodDiagnosis]


def diagnosis_figures(methods: Methods, name: str, figures: FigureSet) -> Iterator[Picture]:
    """Yields the figures of methods on the same data set; none of what has no values.

    Args:
        methods: Methods, the best first.
        name: Name in snake_case, unique on the page; prefix of the figures.
        figures: Collection that figures are added to.
    """
    yield from _excess_figure(methods, name, figures)
    yield from _accuracy_figure([one for one in methods if one.has_accuracy], name, figures)
    yield _distance_figure(methods, name, figures)
    yield _similarity_figure(methods, name, figures)


def _excess_figure(methods: Methods, name: str, figures: FigureSet) -> Iterator[Picture]:
    groups = methods[0].shot_groups
    bounds = np.full((3, len(methods), len(groups)), np.nan)
    for i, method in enumerate(methods):
        for j, group in enumerate(groups):
            found = method.measure(group, "energy_excess")
            if found is not None:
                each = found.mean, found.low, found.high
                bounds[:, i, j] = [np.nan if value is None else value for value in each]
    if np.isnan(bounds[0]).all():
        return
    means, lows, highs = bounds
    yield figures.add(
        f"{name}_excess",
        draw_train_test_excess(
            [one.name for one in methods],
            [ACCURACIES[group] for group in groups],
            *(means, lows, highs),
            axis="energy distance above its floor",
            looks=figures.looks,
        ),
        "Energy distance between training and test features of a class above its floor: means over "
        "classes, with 95 % intervals. At 0, training and test features are as close as random "
        "parts of both.",
        _described(methods, groups, "energy_excess", 3),
    )


def _accuracy_figure(methods: Methods, name: str, figures: FigureSet) -> Iterator[Picture]:
    if not methods:
        return
    groups = methods[0].shot_groups
    train, test = (
        np.array([[one.value(group, key) for group in groups] for one in methods])
        for key in ("train_accuracy", "test_accuracy")
    )
    yield figures.add(
        f"{name}_gap",
        draw_train_test_accuracy(
            [one.name for one in methods],
            [ACCURACIES[group] for group in groups],
            *(train, test),
            looks=figures.looks,
        ),
        "Accuracy on training images (open) and on test images (filled), plain views, means over "
        "classes. The number is the gap in percent points.",
        _described(methods, groups, "gap", 1),
    )


def _distance_figure(methods: Methods, name: str, figures: FigureSet) -> Picture:
    counts = {one.name: _distance_counts(one.diagnoses) for one in methods}
    only = f" The first {MAX_ROWS} methods are shown." if len(counts) > MAX_ROWS else ""
    return figures.add(
        f"{name}_distances",
        draw_intra_class_distances(
            counts, axis="distance to the mean of the training features", looks=figures.looks
        ),
        "Distances (1 - cosine) of training and of test features to the mean of the training "
        "features of their class, as densities; the mean leaves the image itself out. Short lines "
        f"are means.{only}",
        _described(methods, methods[0].shot_groups, "intra_train", 3)
        + " "
        + _described(methods, methods[0].shot_groups, "intra_test", 3),
    )


def _distance_counts(seeds: Sequence[Diagnosis]) -> DistanceCounts:
    """Returns the histograms of a method, summed over its seeds."""
    held = [one.histograms for one in seeds]
    train, test = (
        {
            group: np.sum([getattr(one.groups[group], kind) for one in held], axis=0)
            for group in SHOT_GROUPS
        }
        for kind in ("train", "test_to_train")
    )
    return DistanceCounts(np.array(held[0].edges), train, test)


def _similarity_figure(methods: Methods, name: str, figures: FigureSet) -> Picture:
    overall = [(one.name, one.similarity(OVERALL, OVERALL)) for one in methods]
    only = f" The first {MAX_MAPS} methods have a map." if len(methods) > MAX_MAPS else ""
    return figures.add(
        f"{name}_similarity",
        draw_class_similarity(
            {one.name: _similarity_map(one) for one in methods}, looks=figures.looks
        ),
        "Similarity between classes: cosine of the means of their test features, the most frequent "
        f"class first. Lines separate shot groups.{only}",
        "Mean cosine over pairs of classes: "
        + ", ".join(f"{method} {value:.3f}" for method, value in overall if value is not None)
        + ".",
    )


def _similarity_map(method: MethodDiagnosis) -> SimilarityMap:
    """Returns the map of a method: the mean over the seeds that have the classes of the first."""
    first = method.first.similarity.heatmap
    maps = [one.similarity.heatmap for one in method.diagnoses]
    alike = [one for one in maps if (one.order, one.edges) == (first.order, first.edges)]
    cosines = np.array([one.cosines for one in alike], dtype=np.float64).mean(axis=0)
    bins = len(first.edges) - 1
    groups = {
        group: bounds
        for group, bounds in _group_bounds(method.first).items()
        if bounds[0] < bounds[1]
    }
    means = {(a, b): method.similarity(a, b) for a in groups for b in groups}
    return SimilarityMap(
        edges=np.array(first.edges, dtype=np.float64),
        cosines=cosines.reshape(bins, bins),
        groups=groups,
        means={pair: np.nan if value is None else value for pair, value in means.items()},
    )


def _group_bounds(one: Diagnosis) -> dict[str, tuple[int, int]]:
    """Returns first class and end of each shot group in the order of the map."""
    order: NDArray[np.int64] = np.array(one.similarity.heatmap.order, dtype=np.int64)
    members = stored_groups(one)
    ends = accumulate((int(members[group][order].sum()) for group in SHOT_GROUPS), initial=0)
    return dict(zip(SHOT_GROUPS, pairwise(ends), strict=True))


def _described(methods: Methods, groups: Sequence[str], measure: str, decimals: int) -> str:
    """Returns the numbers of a figure as text."""
    said = [
        f"{one.name}: "
        + ", ".join(
            f"{ACCURACIES[group]} {one.value(group, measure):.{decimals}f}"
            for group in groups
            if one.measure(group, measure) is not None
        )
        for one in methods
    ]
    title = measure.replace("_", " ").capitalize()
    return f"{title}: {'; '.join(said)}."
