"""Intervals of stored accuracies, without those of an earlier method that were too narrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ltbench.analysis.metrics import INTERVAL_METHOD

if TYPE_CHECKING:
    from ltbench.storage.result_schema import Metrics


def valid_interval(metrics: Metrics, name: str) -> Sequence[float] | None:
    """Returns the 95 % interval of an accuracy, in percent; None where it is not known.

    Args:
        metrics: Stored metrics.
        name: Name of the accuracy, one of `ltbench.metric_names.ACCURACIES`.
    """
    return metrics.intervals[name] if metrics.interval_method == INTERVAL_METHOD else None
