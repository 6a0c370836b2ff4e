"""Comparison of all pairs of several cells on the same images, with one error rate."""

from __future__ import annotations

from collections.abc import Sequence

from ltbench.analysis.comparison.seed_predictions import SeedPredictions
from ltbench.analysis.metrics import ShotRule
from ltbench.analysis.stats.max_t import MaxTTest, max_t_test
from ltbench.analysis.stats.strata import Strata


def compare_family(
    samples: Sequence[SeedPredictions], metric: str, rule: ShotRule, *, level: float = 0.95
) -> MaxTTest | None:
    """Compares all pairs of some cells.

    Cells need not have the same seeds: the seeds of each cell are an independent sample.

    Args:
        samples: Predictions of each cell on the same images, each with two seeds or more, or of a
            method that no seed changes.
        metric: Name of the accuracy, one of `ltbench.metric_names.ACCURACIES`.
        rule: Rule of the shot groups.
        level: Confidence level of all pairs together, 0 to 1.

    Returns:
        Differences as shares; None where the shot group has no test images.
    """
    first = samples[0]
    strata = Strata.from_labels(first.labels, rule.groups(first.class_counts)).select([metric])
    if not strata.counts:
        return None
    return max_t_test([sample.seed_rows for sample in samples], strata, level=level)
