"""Comparison of methods across data sets, each of which is one observation."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.comparison.config_diff import diff_cells, format_diff
from ltbench.analysis.dataset_titles import dataset_titles
from ltbench.analysis.stats.bayes import Posterior, bayesian_signed_rank
from ltbench.analysis.stats.multiplicity import Correction
from ltbench.analysis.stats.ranks import (
    CriticalDifference,
    Friedman,
    critical_difference,
    friedman,
    pairwise_signed_rank,
)
from ltbench.analysis.stats.seed_tests import min_signed_rank_p
from ltbench.errors import ConfigError
from ltbench.metric_names import ACCURACIES
from ltbench.specs import SPECS
from ltbench.storage.results import Cell


@dataclass(frozen=True)
class AcrossDatasets:
    """Comparison of k methods on n data sets.

    Args:
        metric: Name of the accuracy.
        methods: (k,) names of the methods.
        datasets: (n,) names of the data sets that have runs of all methods.
        left_out: Names of data sets that lack runs of a method, or the shot group.
        scores: (n, k) accuracies in percent, means over the seeds of each cell.
        friedman: Friedman's test; None with two methods.
        ranks: Average ranks, and Nemenyi's critical difference and groups.
        signed_rank_p: (k, k) corrected p values of Wilcoxon's test.
        min_signed_rank_p: Smallest possible p value of Wilcoxon's test on n data sets with this
            correction.
        posteriors: Pair of positions in `methods` -> Bayesian signed-rank test; empty where not
            requested.
    """

    metric: str
    methods: tuple[str, ...]
    datasets: tuple[str, ...]
    left_out: tuple[str, ...]
    scores: NDArray[np.float64]
    friedman: Friedman | None
    ranks: CriticalDifference
    signed_rank_p: NDArray[np.float64]
    min_signed_rank_p: float
    posteriors: dict[tuple[int, int], Posterior]


@dataclass(frozen=True)
class ScoreTable:
    """Table of cells by data set and method.

    Args:
        methods: (k,) names of the methods.
        rows: Data set -> (k,) its cells in the order of the methods; None for a missing cell.
    """

    methods: tuple[str, ...]
    rows: dict[str, list[Cell | None]]

    @classmethod
    def from_cells(cls, cells: Sequence[Cell]) -> ScoreTable:
        """Returns the table of some cells.

        Cells belong to the same method if their components have the same names. Options may differ,
        because recipes choose options for each data set. A data set is identified by its name,
        options, identity and split.

        Raises:
            ConfigError: A method has several cells on a data set.
        """
        kinds = [kind for kind in SPECS if kind != "dataset"]
        chosen = [tuple(getattr(cell.spec, kind).name for kind in kinds) for cell in cells]
        methods = list(dict.fromkeys(chosen))
        rows: dict[str, list[Cell | None]] = {}
        for cell, method, dataset in zip(cells, chosen, _dataset_names(cells), strict=True):
            row = rows.setdefault(dataset, [None] * len(methods))
            column = methods.index(method)
            earlier = row[column]
            if earlier is not None:
                raise ConfigError(
                    f"{earlier.runs[0].path} and {cell.runs[0].path} are the same method on the "
                    f"same data set, but differ in {format_diff(diff_cells([earlier, cell]))}",
                    hint="give folders that hold only one of them",
                )
            row[column] = cell
        varied = [place for place in range(len(kinds)) if len({m[place] for m in methods}) > 1]
        names = tuple(" ".join(method[place] for place in varied) for method in methods)
        return cls(names, dict(sorted(rows.items())))

    def scores(self, metric: str) -> dict[str, list[float]]:
        """Returns scores in percent: data set -> (k,), only data sets with a score of all methods.

        Args:
            metric: Name of the accuracy.
        """
        found = {}
        for dataset, row in self.rows.items():
            values = [None if cell is None else cell.mean(metric) for cell in row]
            known = [value for value in values if value is not None]
            if len(known) == len(values):
                found[dataset] = known
        return found


def compare_across(
    grid: ScoreTable,
    metric: str,
    *,
    correction: Correction = "holm",
    level: float = 0.95,
    rope: float | None = None,
) -> AcrossDatasets:
    """Compares methods over the data sets that have runs of all of them.

    Args:
        grid: Cells of all methods and data sets.
        metric: Name of the accuracy, one of `ltbench.metric_names.ACCURACIES`.
        correction: Correction of the p values of the pairwise tests.
        level: Confidence level, 0 to 1.
        rope: Half the width of the region of practical equivalence in percent points, for a
            Bayesian test; no such test where None.

    Raises:
        ConfigError: There are fewer than two methods, or fewer than two common data sets.
    """
    names, scores = grid.methods, grid.scores(metric)
    if len(names) < 2 or len(scores) < 2:
        raise ConfigError(
            f"{ACCURACIES[metric]} accuracy across data sets: expected two methods or more and two "
            f"data sets or more with runs of all methods, got {len(names)} and {len(scores)}",
            hint="run the missing methods, or give folders of fewer methods",
        )
    matrix = np.array(list(scores.values()))
    pairs = list(itertools.combinations(range(len(names)), 2))
    return AcrossDatasets(
        metric=metric,
        methods=names,
        datasets=tuple(scores),
        left_out=tuple(dataset for dataset in grid.rows if dataset not in scores),
        scores=matrix,
        friedman=friedman(matrix) if len(names) > 2 else None,
        ranks=critical_difference(matrix, level=level),
        signed_rank_p=pairwise_signed_rank(matrix, correction),
        min_signed_rank_p=min(
            1.0, min_signed_rank_p(len(scores)) * (len(pairs) if correction == "holm" else 1)
        ),
        posteriors={}
        if rope is None
        else {(i, j): bayesian_signed_rank(matrix[:, i] - matrix[:, j], rope) for i, j in pairs},
    )


def _dataset_names(cells: Sequence[Cell]) -> list[str]:
    """Returns a name for each cell's data set: options, split, and identity if needed."""
    named = []
    titles = dataset_titles([cell.spec.dataset for cell in cells])
    for cell, title in zip(cells, titles, strict=True):
        chosen, split = cell.spec.dataset, cell.spec.split
        if title != chosen.name:  # a set of the user's, which a title is enough to tell
            named.append(title + ("" if split == "test" else f", {split} split"))
            continue
        options = ", ".join(f"{key}={value}" for key, value in sorted(chosen.options.items()))
        suffix = f" ({options})" if options else ""
        named.append(f"{chosen.name}{suffix}" + ("" if split == "test" else f", {split} split"))
    identities: dict[str, set[str]] = {}
    for name, cell in zip(named, cells, strict=True):
        identities.setdefault(name, set()).add(cell.spec.dataset.identity)
    return [
        f"{name} [{cell.spec.dataset.identity[-8:]}]" if len(identities[name]) > 1 else name
        for name, cell in zip(named, cells, strict=True)
    ]
