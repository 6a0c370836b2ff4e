"""Pruning: a training whose validation scores are worse than the median of the others ends early.

The median stopping rule of Golovin et al., Google Vizier, KDD 2017, with two differences: the best
score so far is compared instead of a mean, and pruned trials count as far as they came.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from ltbench.tuning.study_file import TrialRecord

MIN_SCORED_TRIALS = 4
"""Trials of a method that must have validation scores before another one is pruned."""

FIRST_SHARE = 0.25
"""Share of a training's epochs before which it is not pruned."""

RULE = (
    "a trial ends after an epoch if its best score so far is below the median of the method's "
    f"other trials at the same share of their epochs, after {MIN_SCORED_TRIALS} trials with scores "
    "and a quarter of the epochs"
)


def pruned_at(scores: Sequence[float], epochs: int, others: Sequence[TrialRecord]) -> int | None:
    """Returns the first epoch, from 1, after which a training ends early; None to continue.

    Args:
        scores: Validation score of each epoch so far, in percent.
        epochs: Number of epochs of the whole training.
        others: Trials of the same method that have ended.
    """
    scored = [other for other in others if other.scores]
    for done in range(1, min(len(scores), epochs - 1) + 1):
        share = done / epochs
        if share < FIRST_SHARE or len(scored) < MIN_SCORED_TRIALS:
            continue
        reached = [best for one in scored if (best := _best_at(one, share)) is not None]
        if reached and max(scores[:done]) < statistics.median(reached):
            return done
    return None


def _best_at(trial: TrialRecord, share: float) -> float | None:
    """Returns the best score up to a share of a trial's epochs; None where it ended before."""
    epoch = max(1, int(share * trial.epochs + 1e-9))
    return max(trial.scores[:epoch]) if epoch <= len(trial.scores) else None
