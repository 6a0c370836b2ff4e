"""Intervals and tests of the rows of a ranking, with one error rate for all pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
from ltbench.metric_names import ACCURACIES
from ltbench.storage.results import Cell

CLAIM_METHODS = "methods"
NO_CLAIM_ONE_SEED = "none: one seed"
NO_CLAIM_NOT_TESTED = "none: not tested"
_NAMED_ROWS = 3  # rows without predictions whose cause is shown; the others are counted


@dataclass(frozen=True)
class Family:
    """Rows of a ranking whose pairs are all compared, with one family-wise error rate.

    Args:
        positions: (k,) positions of the rows in the ranking, from 0; the best row is the first.
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

    def not_worse_than_best(self, level: float) -> set[int]:
        """Returns the positions of the best row, and of those that are not significantly worse."""
        tied = {place for place, p in self.p_against_best().items() if p >= 1 - level}
        return {*self.positions[:1], *tied}


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
        self._unread: list[str] = []
        self._other_images: list[str] = []
        self._rule, self._level = rule, level
        self._samples: list[SeedPredictions | None] = []
        for cell, name in zip(cells, names, strict=True):
            self._samples.append(self._read(cell, name))
            advance()

    @property
    def notes(self) -> list[str]:
        """Notes about rows without predictions, the first few by name, or with other images."""
        unread = self._unread[:_NAMED_ROWS]
        if more := len(self._unread) - len(unread):
            rows = "1 more row has" if more == 1 else f"{more:,} more rows have"
            unread.append(f"{rows} no interval and no p value")
        return [*unread, *self._other_images]

    def intervals(self, position: int) -> dict[str, tuple[float, float]]:
        """Returns the intervals of the accuracies in percent, by name; empty without predictions.

        Accuracies of shot groups without test images are left out.
        """
        sample = self._samples[position]
        if sample is None:
            return {}
        strata = Strata.from_labels(sample.labels, self._rule.groups(sample.class_counts))
        found = crossed_interval(sample.right, strata.select(tuple(ACCURACIES)), level=self._level)
        return {name: (100 * one.low, 100 * one.high) for name, one in found.items()}

    def compare_rows(self, positions: Iterable[int], metric: str) -> Family:
        """Compares all pairs of the rows on the same images: of those whose tests generalise.

        Args:
            positions: Positions of the rows to compare, the best first.
            metric: Name of the accuracy.
        """
        chosen: list[tuple[int, SeedPredictions]] = []
        for position in positions:
            sample = self._samples[position]
            if sample is None or not sample.generalises:
                continue
            try:
                check_same_images(chosen[0][1] if chosen else sample, sample)
            except ConfigError as error:
                self._other_images.append(error.message)
            else:
                chosen.append((position, sample))
        tested = tuple(position for position, _ in chosen)
        if len(chosen) < 2:
            return Family(tested, np.ones((len(tested), len(tested))))
        samples = [sample for _, sample in chosen]
        found = compare_family(samples, metric, self._rule, level=self._level)
        return Family((), np.ones((0, 0))) if found is None else Family(tested, found.p)

    def _read(self, cell: Cell, name: str) -> SeedPredictions | None:
        try:
            sample = read_seed_predictions(cell, name)
        except DataError as error:
            self._unread.append(f"{name} has no interval and no p value: {error.message}")
            return None
        first = next((one for one in self._samples if one is not None), sample)
        return sample.share_arrays(first)
