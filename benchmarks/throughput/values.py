"""Values that goals refer to: computed for each round, then the median."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from benchmarks.throughput.results import Results


class Value(Protocol):
    """A number computed from results."""

    def of(self, results: Results) -> float | None:
        """Returns the number; None if a figure was not measured."""
        ...


@dataclass(frozen=True)
class Figure:
    """A figure of a row."""

    section: str
    row: str
    figure: str

    def of(self, results: Results) -> float | None:
        """Returns the median of the figure."""
        return results.median(self.section, self.row, self.figure)


@dataclass(frozen=True)
class _Pair:
    """Figures of two rows, of the second another one where it is named."""

    section: str
    row: str
    other: str
    figure: str
    other_figure: str | None = None

    def _median(self, results: Results, combine: Callable[[float, float], float]) -> float | None:
        mine = results.rounds(self.section, self.row, self.figure)
        others = results.rounds(self.section, self.other, self.other_figure or self.figure)
        pairs = [combine(one, other) for one, other in zip(mine, others, strict=False)]
        return statistics.median(pairs) if pairs else None


class Ratio(_Pair):
    """Ratio of a row's figure to that of another row."""

    def of(self, results: Results) -> float | None:
        """Returns the median of the rounds' ratios."""
        return self._median(results, lambda one, other: one / other)


class Difference(_Pair):
    """Difference of a row's figure and that of another row."""

    def of(self, results: Results) -> float | None:
        """Returns the median of the rounds' differences."""
        return self._median(results, lambda one, other: one - other)
