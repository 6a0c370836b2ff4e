"""Intervals of stored results, by today's method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltbench.errors import DataError

if TYPE_CHECKING:
    from ltbench.storage.result_schema import RunResult


def with_today_intervals(result: RunResult) -> RunResult:
    """Returns a stored result with intervals of today's method.

    The intervals of an earlier method were too narrow. They are computed again from the stored
    predictions, or left out with a warning where these cannot be read. The file does not change.

    Args:
        result: Result of a run directory.
    """
    from ltbench.analysis.metrics import DEFAULT_RULE, INTERVAL_METHOD, SHOT_RULES, intervals

    metrics, warnings = result.metrics, result.warnings
    if metrics.interval_method == INTERVAL_METHOD:
        return result
    import numpy as np

    rule = SHOT_RULES.get(metrics.shot_rule, DEFAULT_RULE)
    groups = rule.groups(np.array(result.classes.train_images, dtype=np.int64))
    new: dict[str, list[float] | None] = dict.fromkeys(metrics.intervals)
    try:
        new = intervals(result.predictions(), groups)
    except DataError as error:
        warnings = [*warnings, f"no intervals, because {error.message}"]
    metrics = metrics.model_copy(update={"intervals": new, "interval_method": INTERVAL_METHOD})
    return result.model_copy(update={"metrics": metrics, "warnings": warnings})
