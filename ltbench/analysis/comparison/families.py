"""Several cells on the same test images, compared with one error rate for all pairs."""

from __future__ import annotations

from collections.abc import Sequence

from ltbench.analysis.comparison.seed_predictions import Sample
from ltbench.analysis.metrics import ShotRule
from ltbench.analysis.stats.simultaneous import Simultaneous, simultaneous
from ltbench.analysis.stats.strata import Strata


def has_seeds(sample: Sample) -> bool:
    """Returns whether a sample has two seeds or more: one says nothing about its method."""
    return len(sample.right) > 1


def compare_family(
    samples: Sequence[Sample], metric: str, rule: ShotRule, *, level: float = 0.95
) -> Simultaneous | None:
    """Compares all pairs of some samples; None where the shot group has no test images.

    Seeds need not be the same ones: each cell's are a sample of its own.

    Args:
        samples: Samples of the same images, with two seeds or more each.
        metric: One of `ltbench.analysis.comparison.pairs.METRICS`.
        rule: Rule of the shot groups.
        level: Confidence, of all pairs together.
    """
    first = samples[0]
    strata = Strata.of_classes(first.labels, rule.groups(first.class_counts)).only([metric])
    if not strata.votes:
        return None
    return simultaneous([sample.right for sample in samples], strata, level=level)
