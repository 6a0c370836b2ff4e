"""Tests of a ranking's rows on their images: intervals, and all pairs with one error rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.comparison.families import compare_family, has_seeds
from ltbench.analysis.comparison.seed_predictions import Sample, check_same_images, read_sample
from ltbench.analysis.metrics import ShotRule
from ltbench.analysis.stats.crossed import crossed_interval
from ltbench.analysis.stats.strata import Strata
from ltbench.errors import ConfigError, DataError
from ltbench.storage.results import Cell

CLAIM = "methods"
ONE_SEED = "none: one seed"
NOT_TESTED = "none: not tested"


@dataclass(frozen=True)
class Family:
    """Rows of a ranking of which all pairs are compared.

    Args:
        places: (k,) places of the rows, from 0, ascending: the best first.
        p: (k, k) p values, each corrected for all pairs.
    """

    places: tuple[int, ...]
    p: NDArray[np.float64]

    def between(self, better: int, worse: int) -> float:
        """Returns the p value of two rows, by their places."""
        return float(self.p[self.places.index(better), self.places.index(worse)])

    def against_best(self) -> dict[int, float]:
        """Returns the p values of all rows but the best, by their places."""
        return {place: self.between(self.places[0], place) for place in self.places[1:]}


class RowTests:
    """The cells of a ranking on their images.

    Args:
        cells: Cells of the ranking, best first.
        names: Names of the cells.
        rule: Rule of the shot groups.
        level: Confidence of intervals and tests.
        advance: Called after each cell whose predictions have been read.
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
        self._samples: list[Sample | None] = []
        for cell, name in zip(cells, names, strict=True):
            self._samples.append(self._read(cell, name))
            advance()

    def interval(self, place: int) -> tuple[float, float] | None:
        """Returns the interval of overall accuracy in percent; None without predictions."""
        sample = self._samples[place]
        if sample is None:
            return None
        strata = Strata.of_classes(sample.labels, self._rule.groups(sample.class_counts))
        found = crossed_interval(sample.right, strata.only(["accuracy"]), level=self._level)
        return 100 * found["accuracy"].low, 100 * found["accuracy"].high

    def family(self, count: int, metric: str) -> Family:
        """Compares all pairs of the rows that can be: two seeds or more, on the same images.

        Args:
            count: Number of rows, from the best, that are considered.
            metric: Accuracy that is compared.
        """
        chosen: list[tuple[int, Sample]] = []
        for place, sample in enumerate(self._samples[:count]):
            if sample is None or not has_seeds(sample):
                continue
            try:
                check_same_images(chosen[0][1] if chosen else sample, sample)
            except ConfigError as error:
                self.notes.append(error.message)
            else:
                chosen.append((place, sample))
        places = tuple(place for place, _ in chosen)
        if len(chosen) < 2:
            return Family(places, np.ones((len(places), len(places))))
        samples = [sample for _, sample in chosen]
        found = compare_family(samples, metric, self._rule, level=self._level)
        return Family((), np.ones((0, 0))) if found is None else Family(places, found.p)

    def _read(self, cell: Cell, name: str) -> Sample | None:
        try:
            sample = read_sample(cell, name)
        except DataError as error:
            self.notes.append(f"{name} has no interval and no p value: {error.message}")
            return None
        first = next((one for one in self._samples if one is not None), sample)
        return sample.sharing(first)
