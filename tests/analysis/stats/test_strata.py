from __future__ import annotations

import numpy as np
import pytest

from ltbench.analysis.metrics import SHOT_GROUPS, compute_metrics
from ltbench.analysis.stats.strata import Strata
from ltbench.storage.predictions import Predictions

FEW = np.array([False, False, True, True, True])
GROUP = {"many": ~FEW, "few": FEW}


def test_means_are_those_of_the_metrics() -> None:
    random = np.random.default_rng(0)
    counts = np.array([500, 150, 60, 40, 12, 5, 1])
    labels = random.choice(7, 300, p=[0.4, 0.2, 0.1, 0.1, 0.1, 0.07, 0.03])
    top = np.where(random.random(300) < 0.7, labels, (labels + 1) % 7)
    classes = np.stack([top, (top + 1) % 7], axis=1)
    logits = np.zeros((300, 2), np.float32)
    predictions = Predictions(np.arange(300), labels, classes, logits, logits[:, 0])
    metrics = compute_metrics(predictions, counts)
    from ltbench.analysis.metrics import DEFAULT_RULE

    strata = Strata.from_labels(labels, DEFAULT_RULE.groups(counts))
    means = 100 * strata.means((top == labels).astype(float))
    for name, value in zip(strata.weights, means, strict=True):
        assert metrics[name] == pytest.approx(value)
    assert list(strata.weights) == ["accuracy", "mean_class", *SHOT_GROUPS]


def test_weights_by_hand() -> None:
    strata = Strata.from_labels(np.array([0, 0, 0, 1, 2, 2]), GROUP)
    assert list(strata.weights) == ["accuracy", "mean_class", "many", "few"]
    np.testing.assert_allclose(strata.weights["accuracy"], [3 / 6, 1 / 6, 2 / 6, 0, 0])
    np.testing.assert_allclose(strata.weights["mean_class"], [1 / 3, 1 / 3, 1 / 3, 0, 0])
    np.testing.assert_allclose(strata.weights["few"], [0, 0, 1, 0, 0])
    by_seed = np.array([[1, 0, 0, 1, 1, 0], [0, 0, 0, 0, 1, 1.0]])
    np.testing.assert_allclose(
        strata.means(by_seed),
        [[3 / 6, (1 / 3 + 1 + 1 / 2) / 3, 2 / 3, 1 / 2], [2 / 6, 1 / 3, 0, 1]],
    )


def test_classes_with_one_image_are_one_stratum_of_their_group() -> None:
    labels = np.array([0, 1, 2, 2, 3, 4])
    strata = Strata.from_labels(labels, GROUP)
    assert strata.image_strata.tolist() == [0, 0, 2, 2, 3, 3]
    assert strata.sizes.tolist() == [2, 0, 2, 2, 0]
    right = np.array([1, 0, 1, 1, 0, 1.0])
    means = dict(zip(strata.weights, strata.means(right), strict=True))
    assert means["mean_class"] == pytest.approx(3 / 5)
    assert means["few"] == pytest.approx(2 / 3)


def test_a_group_without_test_images_has_no_mean() -> None:
    strata = Strata.from_labels(np.array([2, 2, 3]), GROUP)
    assert list(strata.weights) == ["accuracy", "mean_class", "few"]
