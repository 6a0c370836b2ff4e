"""Methods on several data sets: each data set is one observation."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.comparison.config_diff import differing, in_words
from ltbench.analysis.stats.bayes import Posterior, bayesian_signed_rank
from ltbench.analysis.stats.multiplicity import Correction
from ltbench.analysis.stats.ranks import (
    CriticalDifference,
    Friedman,
    critical_difference,
    friedman,
    pairwise_signed_rank,
)
from ltbench.analysis.stats.seeds import least_p
from ltbench.errors import ConfigError
from ltbench.metric_names import ACCURACIES
from ltbench.specs import SPECS
from ltbench.storage.results import Cell


@dataclass(frozen=True)
class AcrossDatasets:
    """k methods on n data sets.

    Args:
        metric: Which accuracy.
        methods: (k,) names.
        datasets: (n,) names of the data sets that all methods were run on.
        left_out: Data sets that some method was not run on, or that lack the shot group.
        scores: (n, k) percent, means over each cell's seeds.
        friedman: None with two methods.
        ranks: Average ranks, Nemenyi's critical difference and the groups.
        signed_rank_p: (k, k) corrected p values of Wilcoxon's test.
        least_p: Smallest p that Wilcoxon's test can have on n data sets with this correction.
        posteriors: Pair of positions -> Bayesian signed-rank test, where it was asked for.
    """

    metric: str
    methods: tuple[str, ...]
    datasets: tuple[str, ...]
    left_out: tuple[str, ...]
    scores: NDArray[np.float64]
    friedman: Friedman | None
    ranks: CriticalDifference
    signed_rank_p: NDArray[np.float64]
    least_p: float
    posteriors: dict[tuple[int, int], Posterior]


@dataclass(frozen=True)
class ScoreTable:
    """Cells by data set and method.

    Args:
        methods: (k,) names.
        rows: Data set -> its cells in the order of the methods, None where there is none.
    """

    methods: tuple[str, ...]
    rows: dict[str, list[Cell | None]]

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> ScoreTable:
        """Arranges cells.

        A method is what has the same names of components, whatever their options: recipes choose
        options for a data set. A data set is one with its options, identity and split.

        Raises:
            ConfigError: A method has several cells on a data set.
        """
        kinds = [kind for kind in SPECS if kind != "dataset"]
        chosen = [tuple(getattr(cell.spec, kind).name for kind in kinds) for cell in cells]
        methods = list(dict.fromkeys(chosen))
        rows: dict[str, list[Cell | None]] = {}
        for cell, method, dataset in zip(cells, chosen, _datasets(cells), strict=True):
            row = rows.setdefault(dataset, [None] * len(methods))
            column = methods.index(method)
            earlier = row[column]
            if earlier is not None:
                raise ConfigError(
                    f"{earlier.runs[0].path} and {cell.runs[0].path} are the same method on the "
                    f"same data set, and differ in {in_words(differing([earlier, cell]))}",
                    hint="give folders of which only one belongs to the comparison",
                )
            row[column] = cell
        varied = [place for place in range(len(kinds)) if len({m[place] for m in methods}) > 1]
        names = tuple(" ".join(method[place] for place in varied) for method in methods)
        return cls(names, dict(sorted(rows.items())))

    def scores(self, metric: str) -> dict[str, list[float]]:
        """Returns the scores of the data sets that all methods have, in percent."""
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
    """Compares methods over the data sets that all of them were run on.

    Args:
        grid: All methods and data sets.
        metric: One of `METRICS`, as stored with the runs.
        correction: Of the pairwise tests.
        level: Of confidence.
        rope: Half the region of practical equivalence in percent points, for a Bayesian test.

    Raises:
        ConfigError: There are fewer than two methods, or than two data sets that all have.
    """
    names, scores = grid.methods, grid.scores(metric)
    if len(names) < 2 or len(scores) < 2:
        raise ConfigError(
            "two methods and two data sets that all methods were run on are needed to compare "
            f"{ACCURACIES[metric]} accuracies; there are {len(names)} and {len(scores)}",
            hint="run the missing ones, or give fewer methods",
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
        least_p=min(1.0, least_p(len(scores)) * (len(pairs) if correction == "holm" else 1)),
        posteriors={}
        if rope is None
        else {(i, j): bayesian_signed_rank(matrix[:, i] - matrix[:, j], rope) for i, j in pairs},
    )


def _datasets(cells: Sequence[Cell]) -> list[str]:
    """A name for each cell's data set: with options, split, and identity where that is needed."""
    named = []
    for cell in cells:
        chosen, split = cell.spec.dataset, cell.spec.split
        options = ", ".join(f"{key}={value}" for key, value in sorted(chosen.options.items()))
        said = f" ({options})" if options else ""
        named.append(f"{chosen.name}{said}" + ("" if split == "test" else f", {split} split"))
    identities: dict[str, set[str]] = {}
    for name, cell in zip(named, cells, strict=True):
        identities.setdefault(name, set()).add(cell.spec.dataset.identity)
    return [
        f"{name} [{cell.spec.dataset.identity[-8:]}]" if len(identities[name]) > 1 else name
        for name, cell in zip(named, cells, strict=True)
    ]
