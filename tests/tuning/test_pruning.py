from __future__ import annotations

from ltbench.tuning.pruning import pruned_at
from ltbench.tuning.study_file import TrialRecord
from tests.tuning.records import trial

OTHERS = [
    trial(0, scores=[10, 40, 30, 50]),
    trial(1, scores=[20, 20, 60, 60]),
    trial(2, scores=[30, 50, 50, 50]),
    trial(3, scores=[5, 6], value=None),
]


def test_a_training_below_the_median_ends() -> None:
    # Medians of the best so far: 15 after one epoch, 30 after two, 50 after three.
    assert pruned_at([15], 4, OTHERS) is None
    assert pruned_at([14], 4, OTHERS) == 1
    assert pruned_at([15, 29], 4, OTHERS) == 2
    assert pruned_at([15, 30, 10], 4, OTHERS) == 3
    assert pruned_at([40, 1, 50], 4, OTHERS) is None  # the best so far counts
    assert pruned_at([15, 31, 50, 0], 4, OTHERS) is None  # nothing is saved after the last


def test_the_first_bad_epoch_counts() -> None:
    assert pruned_at([14, 99, 99], 4, OTHERS) == 1


def test_few_trials_and_few_epochs_end_none() -> None:
    assert pruned_at([0, 0, 0], 4, OTHERS[:3]) is None
    assert pruned_at([0], 8, OTHERS) is None  # an eighth
    assert pruned_at([0, 0], 8, OTHERS) == 2


def test_trainings_are_compared_at_the_same_share() -> None:
    longer = [trial(n, scores=[1, 2, 3, 60, 70, 80, 90, 90], epochs=8) for n in range(4)]
    assert pruned_at([2], 4, longer) is None  # two of eight epochs
    assert pruned_at([1], 4, longer) == 1
    assert pruned_at([2, 59], 4, longer) == 2


def test_trials_without_scores_do_not_count() -> None:
    without: list[TrialRecord] = [trial(n, value=None, state="failed") for n in range(4)]
    assert pruned_at([0, 0, 0], 4, without) is None
    assert pruned_at([0, 0, 0], 4, [*without, *OTHERS[:3]]) is None  # a median of three
    assert pruned_at([], 4, OTHERS) is None
