"""Numbers that goals are set for: of each round by itself, then the median."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from benchmarks.throughput.results import Results


class Value(Protocol):
    """A number that follows from results."""

    def of(self, results: Results) -> float | None:
        """Returns it; None where something was not measured."""
        ...


@dataclass(frozen=True)
class Figure:
    """A figure of a row."""

    section: str
    row: str
    figure: str

    def of(self, results: Results) -> float | None:
        """Returns its median."""
        return results.median(self.section, self.row, self.figure)


@dataclass(frozen=True)
class _Pair:
    """A figure of a row and the same one, or another, of another row."""

    section: str
    row: str
    other: str
    figure: str

    def _median(self, results: Results, combine: Callable[[float, float], float]) -> float | None:
        mine = results.rounds(self.section, self.row, self.figure)
        others = results.rounds(self.section, self.other, self.figure)
        pairs = [combine(one, other) for one, other in zip(mine, others, strict=False)]
        return statistics.median(pairs) if pairs else None


class Ratio(_Pair):
    """A row's figure over that of another row."""

    def of(self, results: Results) -> float | None:
        """Returns the median of the rounds' ratios."""
        return self._median(results, lambda one, other: one / other)


class Difference(_Pair):
    """A row's figure less that of another row."""

    def of(self, results: Results) -> float | None:
        """Returns the median of the rounds' differences."""
        return self._median(results, lambda one, other: one - other)
