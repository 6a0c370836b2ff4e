"""Intervals of stored accuracies, without those of an earlier method that were too narrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ltbench.analysis.metrics import INTERVAL_METHOD


class StoredAccuracies(Protocol):
    """Accuracies of a result with their intervals, as `result_schema.Metrics` has them."""

    @property
    def intervals(self) -> Mapping[str, Sequence[float] | None]:
        """95 % intervals by accuracy: lower and upper bound in percent."""

    @property
    def interval_method(self) -> str | None:
        """Method of the intervals."""

    def value(self, metric: str) -> float | None:
        """Returns an accuracy in percent; None for a shot group without classes."""


def valid_interval(metrics: StoredAccuracies, name: str) -> Sequence[float] | None:
    """Returns the 95 % interval of an accuracy, in percent; None where it is not known.

    Args:
        metrics: Stored metrics.
        name: Name of the accuracy, one of `ltbench.metric_names.ACCURACIES`.
    """
    return metrics.intervals[name] if metrics.interval_method == INTERVAL_METHOD else None
