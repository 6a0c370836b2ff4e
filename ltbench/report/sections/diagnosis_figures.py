"""Figures of diagnoses: similarity, intra-class distances, train-test distance, accuracy gap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

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
from ltbench.report.page.content import Picture
from ltbench.report.page.figure_set import FigureSet
from ltbench.storage.diagnosis_schema import Diagnosis

Diagnoses = Mapping[str, Sequence[Diagnosis]]
"""Name of a method -> diagnoses of its seeds, the best method first."""


def diagnosis_figures(methods: Diagnoses, name: str, figures: FigureSet) -> Iterator[Picture]:
    """Yields the figures of some methods; none of what has no values.

    Args:
        methods: Methods on the same data set.
        name: Name in snake_case, unique on the page; prefix of the figures.
        figures: Collection that figures are added to.
    """
    present = [group for group in SHOT_GROUPS if _some(methods)[0].groups[group].classes]
    yield from _accuracy_figure(methods, present, name, figures)
    yield from _excess_figure(methods, present, name, figures)
    yield _distance_figure(methods, name, figures)
    yield _similarity_figure(methods, present, name, figures)


def _some(methods: Diagnoses) -> Sequence[Diagnosis]:
    return next(iter(methods.values()))


def _similarity_figure(
    methods: Diagnoses, groups: Sequence[str], name: str, figures: FigureSet
) -> Picture:
    maps = {method: _similarity_map(each, groups) for method, each in methods.items()}
    overall = {
        method: _mean([one.similarity.overall for one in methods[method]]) for method in maps
    }
    rest = len(maps) - MAX_MAPS
    only = f" Only the {MAX_MAPS} best methods have a map." if rest > 0 else ""
    return figures.add(
        f"{name}_similarity",
        draw_class_similarity(maps, looks=figures.looks),
        "Similarity between classes: cosine between the means of their test features, the most "
        "frequent class first; lines separate shot groups. The darker, the harder to separate."
        f"{only}",
        "Mean cosine over pairs of classes: "
        + ", ".join(f"{method} {value:.3f}" for method, value in overall.items())
        + ".",
    )


def _similarity_map(each: Sequence[Diagnosis], groups: Sequence[str]) -> SimilarityMap:
    """Returns the map of a method: the mean over seeds, or that of the first where they differ."""
    maps = [one.similarity.heatmap for one in each]
    alike = [one for one in maps if one.order == maps[0].order and one.edges == maps[0].edges]
    stacked = np.array([_numbers(one.cosines) for one in alike])
    counts = np.array(each[0].classes.train_images)[maps[0].order]
    members = _group_bounds(each[0], counts, groups)
    return SimilarityMap(
        edges=np.array(maps[0].edges, dtype=float),
        cosines=stacked.mean(axis=0),
        groups=members,
        means={
            (one, other): _mean([d.similarity.by_groups[one][other] for d in each])
            for one in members
            for other in members
        },
    )


def _group_bounds(
    one: Diagnosis, counts: NDArray[np.int64], groups: Sequence[str]
) -> dict[str, tuple[int, int]]:
    """Returns first class and end of each shot group in the order of the map."""
    from ltbench.analysis.metrics import DEFAULT_RULE, SHOT_RULES

    rule = SHOT_RULES.get(one.shot_rule, DEFAULT_RULE)
    sizes = [int(rule.groups(counts)[group].sum()) for group in SHOT_GROUPS]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    bounds = dict(zip(SHOT_GROUPS, pairwise(ends.tolist()), strict=True))
    return {group: (first, end) for group, (first, end) in bounds.items() if group in groups}


def _distance_figure(methods: Diagnoses, name: str, figures: FigureSet) -> Picture:
    counts = {method: _distance_counts(each) for method, each in methods.items()}
    only = f" Only the {MAX_ROWS} best methods are shown." if len(counts) > MAX_ROWS else ""
    return figures.add(
        f"{name}_distances",
        draw_intra_class_distances(
            counts,
            axis="distance to the mean of training features, 1 - cosine",
            looks=figures.looks,
        ),
        "Distances of training and test features to the mean of the training features of their "
        "class, as densities. The mean leaves the image itself out. Where the line lies to the "
        f"right of the area, test images lie elsewhere than training images.{only}",
        _describe_intra(methods),
    )


def _distance_counts(each: Sequence[Diagnosis]) -> DistanceCounts:
    """Returns the histograms of a method, summed over its seeds."""
    held = [one.histograms for one in each]
    parts = {
        kind: {
            group: np.sum([getattr(one.groups[group], kind) for one in held], axis=0)
            for group in SHOT_GROUPS
        }
        for kind in ("train", "test_to_train")
    }
    return DistanceCounts(np.array(held[0].edges), parts["train"], parts["test_to_train"])


def _describe_intra(methods: Diagnoses) -> str:
    said = []
    for method, each in methods.items():
        values = [
            f"{ACCURACIES[group]} {_measured(each, group, 'intra_train'):.3f} and "
            f"{_measured(each, group, 'intra_test'):.3f}"
            for group in SHOT_GROUPS
            if np.isfinite(_measured(each, group, "intra_test"))
        ]
        said.append(f"{method}: {', '.join(values)}")
    return f"Intra-class distance of training and test features: {'; '.join(said)}."
