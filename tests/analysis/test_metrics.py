from __future__ import annotations

import numpy as np
import pytest

from ltbench.analysis.metrics import SHOT_RULES, compute_metrics, intervals, reliability_bins
from ltbench.analysis.stats.accuracy_interval import crossed_interval
from ltbench.analysis.stats.strata import Strata
from ltbench.storage.predictions import Predictions

COUNTS = np.array([200, 100, 20, 19, 5])


def predictions(labels: list[int], said: list[int], confidence: float = 0.9) -> Predictions:
    size = len(labels)
    logits = np.full((size, 2), np.log(confidence), dtype=np.float32)
    logits[:, 1] = np.log((1 - confidence) / 4)
    classes = np.stack([said, [(one + 1) % 5 for one in said]], axis=1)
    return Predictions(
        np.arange(size), np.array(labels), classes, logits, np.zeros(size, dtype=np.float32)
    )


LABELS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
SAID = [0, 0, 0, 1, 1, 1, 2, 0, 3, 0, 0, 0]


def test_accuracies_by_hand() -> None:
    metrics = compute_metrics(predictions(LABELS, SAID), COUNTS)
    assert metrics["per_class"] == [75, 100, 50, 50, 0]
    assert metrics["accuracy"] == pytest.approx(100 * 7 / 12)
    assert metrics["mean_class"] == pytest.approx(55)
    assert (metrics["many"], metrics["medium"], metrics["few"]) == (75, 75, 25)
    assert metrics["harmonic"] == pytest.approx(3 / (1 / 75 + 1 / 75 + 1 / 25))
    assert metrics["group_classes"] == {"all": 5, "many": 1, "medium": 2, "few": 2}


def test_a_class_at_a_border_is_medium_unless_the_older_rule_is_asked_for() -> None:
    borders = np.array([101, 100, 20, 19])
    exclusive, inclusive = SHOT_RULES["exclusive"], SHOT_RULES["inclusive"]
    assert exclusive.groups(borders)["medium"].tolist() == [False, True, True, False]
    assert inclusive.groups(borders)["many"].tolist() == [True, True, False, False]
    assert inclusive.groups(borders)["few"].tolist() == [False, False, True, True]
    metrics = compute_metrics(predictions(LABELS, SAID), COUNTS, inclusive)
    assert metrics["shot_rule"] == "inclusive"
    assert metrics["many"] == pytest.approx((75 + 100) / 2)


def test_an_empty_group_is_null() -> None:
    metrics = compute_metrics(predictions(LABELS, SAID), np.array([200, 150, 120, 50, 30]))
    assert metrics["few"] is None
    assert metrics["intervals"]["few"] is None
    assert metrics["harmonic"] == pytest.approx(2 / (1 / 75 + 1 / 25))


def test_a_class_without_test_images_counts_nowhere() -> None:
    metrics = compute_metrics(predictions([0, 0, 4], [0, 0, 4]), COUNTS)
    assert metrics["per_class"] == [100, None, None, None, 100]
    assert (metrics["mean_class"], metrics["medium"], metrics["few"]) == (100, None, 100)


def test_macro_f1_equals_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    ours = compute_metrics(predictions(LABELS, SAID), COUNTS)["macro_f1"]
    assert ours == pytest.approx(100 * f1_score(LABELS, SAID, average="macro"))


def test_calibration_error_is_the_gap() -> None:
    ours = compute_metrics(predictions(LABELS, SAID, confidence=0.9), COUNTS)["ece"]
    assert ours == pytest.approx(abs(90 - 100 * 7 / 12), abs=1e-4)


def test_reliability_by_hand() -> None:
    confidence = np.array([0.5, 0.52, 0.9, 1.0])  # bins 7, 7, 13 and 14 of 15
    said, held, share = reliability_bins(confidence, np.array([True, False, True, True]))
    assert said == pytest.approx([51, 90, 100])
    assert held == pytest.approx([50, 100, 100])
    assert share == pytest.approx([50, 25, 25])


def test_intervals_surround_their_values() -> None:
    metrics = compute_metrics(predictions(LABELS * 20, SAID * 20), COUNTS)
    for name in ("accuracy", "mean_class", "many", "medium", "few"):
        low, high = metrics["intervals"][name]
        assert low < metrics[name] < high


def test_all_right_is_100_to_the_last_bit() -> None:
    """Nine images of which each weighs a ninth: the sum of the weights is not 1."""
    labels = [0, 0, 0, 1, 1, 2, 3, 3, 4]
    metrics = compute_metrics(predictions(labels, labels), COUNTS)
    for name in ("accuracy", "mean_class", "many", "medium", "few", "harmonic"):
        assert metrics[name] == 100.0
        low, high = metrics.get("intervals", {}).get(name) or (0, 100)
        assert low < high == 100.0


def test_intervals_are_those_of_leaderboards() -> None:
    found = predictions(LABELS * 5, SAID * 5)
    metrics = compute_metrics(found, COUNTS)
    strata = Strata.from_labels(found.labels, SHOT_RULES["exclusive"].groups(COUNTS))
    expected = crossed_interval((found.labels == found.predicted)[None], strata)
    assert metrics["interval_method"] == "crossed"
    for name, each in expected.items():
        assert metrics["intervals"][name] == [100 * each.low, 100 * each.high]


def test_intervals_of_a_run_hold_the_truth() -> None:
    """100 classes of two images, 75 % right: a bootstrap covers the truth 83 times in 100."""
    random, labels, true = np.random.default_rng(0), np.repeat(np.arange(100), 2), 0.75
    groups = SHOT_RULES["exclusive"].groups(np.repeat([150, 60, 10], [20, 40, 40]))
    held, zeros = [], np.zeros((200, 1), np.float32)
    for _ in range(300):
        said = np.where(random.random(200) < true, labels, (labels + 1) % 100)
        found = Predictions(np.arange(200), labels, said[:, None], zeros, zeros[:, 0])
        low, high = intervals(found, groups)["accuracy"] or (0, 0)
        held.append(low <= 100 * true <= high)
    assert 0.92 <= np.mean(held) <= 0.99
