"""Intervals and tests of the rows of a ranking, with one error rate for all pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.comparison.all_pairs import compare_family
from ltbench.analysis.comparison.seed_predictions import (
    SeedPredictions,
    check_same_images,
    read_seed_predictions,
)
from ltbench.analysis.metrics import ShotRule
from ltbench.analysis.stats.accuracy_interval import crossed_interval
from ltbench.analysis.stats.strata import Strata
from ltbench.errors import ConfigError, DataError
from ltbench.storage.results import Cell

CLAIM_METHODS = "methods"
NO_CLAIM_ONE_SEED = "none: one seed"
NO_CLAIM_NOT_TESTED = "none: not tested"


@dataclass(frozen=True)
class Family:
    """Rows of a ranking whose pairs are all compared, with one family-wise error rate.

    Args:
        positions: (k,) positions of the rows in the ranking, from 0, ascending: the best first.
        p: (k, k) p values, each corrected for all pairs.
    """

    positions: tuple[int, ...]
    p: NDArray[np.float64]

    def p_between(self, better: int, worse: int) -> float:
        """Returns the p value of two rows, given by their positions."""
        return float(self.p[self.positions.index(better), self.positions.index(worse)])

    def p_against_best(self) -> dict[int, float]:
        """Returns the p values of the differences to the best row: position -> p value."""
        return {other: self.p_between(self.positions[0], other) for other in self.positions[1:]}


class RowTests:
    """Predictions of the cells of a ranking, and intervals and tests of them.

    Args:
        cells: Cells of the ranking, best first.
        names: Names of the cells.
        rule: Rule of the shot groups.
        level: Confidence level of intervals and tests, 0 to 1.
        advance: Progress callback, called after the predictions of each cell are read.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        names: Sequence[str],
        rule: ShotRule,
        level: float,
        advance: Callable[[], object],
    ) -> None:
        self.names = names
        self.notes: list[str] = []
        self._rule, self._level = rule, level
        self._samples: list[SeedPredictions | None] = []
        for cell, name in zip(cells, names, strict=True):
            self._samples.append(self._read(cell, name))
            advance()

    def interval(self, position: int) -> tuple[float, float] | None:
        """Returns the interval of overall accuracy in percent; None without predictions."""
        sample = self._samples[position]
        if sample is None:
            return None
        strata = Strata.from_labels(sample.labels, self._rule.groups(sample.class_counts))
        found = crossed_interval(sample.right, strata.select(["accuracy"]), level=self._level)
        return 100 * found["accuracy"].low, 100 * found["accuracy"].high

    def compare_rows(self, count: int, metric: str) -> Family:
        """Compares all pairs of the rows on the same images: of those whose tests generalise.

        Args:
            count: Number of rows to compare, from the best.
            metric: Name of the accuracy.
        """
        chosen: list[tuple[int, SeedPredictions]] = []
        for position, sample in enumerate(self._samples[:count]):
            if sample is None or not sample.generalises:
                continue
            try:
                check_same_images(chosen[0][1] if chosen else sample, sample)
            except ConfigError as error:
                self.notes.append(error.message)
            else:
                chosen.append((position, sample))
        positions = tuple(position for position, _ in chosen)
        if len(chosen) < 2:
            return Family(positions, np.ones((len(positions), len(positions))))
        samples = [sample for _, sample in chosen]
        found = compare_family(samples, metric, self._rule, level=self._level)
        return Family((), np.ones((0, 0))) if found is None else Family(positions, found.p)

    def _read(self, cell: Cell, name: str) -> SeedPredictions | None:
        try:
            sample = read_seed_predictions(cell, name)
        except DataError as error:
            self.notes.append(f"{name} has no interval and no p value: {error.message}")
            return None
        first = next((one for one in self._samples if one is not None), sample)
        return sample.share_arrays(first)
