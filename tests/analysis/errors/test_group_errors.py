from __future__ import annotations

import numpy as np
import pytest

from ltbench.analysis.errors.group_errors import (
    chance_calibration_error,
    group_frame,
    reliability_frame,
)
from ltbench.analysis.metrics import compute_metrics
from tests.analysis.errors.pools import TRAIN, one_seed, read, two_seeds


def test_groups_are_counted_by_hand() -> None:
    frame = group_frame(one_seed()).set_index("shot_group")
    assert frame.index.tolist() == ["overall", "many", "medium", "few"]
    assert frame["classes"].tolist() == [4, 1, 1, 2]
    assert frame["test_images"].tolist() == [14, 4, 4, 6]
    assert frame["accuracy"].tolist() == pytest.approx([50.0, 75.0, 50.0, 37.5])
    assert frame["wrong"].tolist() == [7, 1, 2, 4]
    # The wrong images of owl and eel: three become a dog, one a cat.
    few = frame.loc["few"]
    assert [few["to_many"], few["to_medium"], few["to_few"]] == [75.0, 25.0, 0.0]
    mean = 100 * (0.4 + 0.99 + 0.6 + 0.3 + 0.95 + 0.5) / 6
    assert few["confidence"] == pytest.approx(mean)
    assert few["overconfidence"] == pytest.approx(mean - 100 * 2 / 6)
    # Bins of width 1/15: {0.95, 0.99}, {0.3}, {0.4}, {0.5}, {0.6}; right are 0.4 and 0.5.
    gaps = 1.94 + 0.3 + 0.6 + 0.5 + 0.6
    assert few["ece"] == pytest.approx(100 * gaps / 6)
    assert frame["train_accuracy"].isna().all()


def test_overall_and_groups_are_those_of_the_result() -> None:
    found = compute_metrics(read(), np.array(TRAIN))
    frame = group_frame(one_seed()).set_index("shot_group")
    for name, metric in {"overall": "accuracy", "many": "many", "few": "few"}.items():
        row = frame.loc[name]
        assert row["accuracy"] == pytest.approx(found[metric])
        assert [row["low"], row["high"]] == pytest.approx(found["intervals"][metric])
    assert frame.loc["overall", "ece"] == pytest.approx(found["ece"])


def test_seeds_are_averaged_and_their_errors_added() -> None:
    frame = group_frame(two_seeds()).set_index("shot_group")
    assert frame["wrong"].tolist() == [11, 1, 3, 7]
    assert frame.loc["few", "accuracy"] == pytest.approx((37.5 + (25 + 100) / 2) / 2)
    assert frame.loc["few", "to_few"] == pytest.approx(100 / 7)


def test_training_accuracy_is_beside_it() -> None:
    train = {"accuracy": 90.0, "many": 80.0, "medium": None, "few": 100.0}
    frame = group_frame(one_seed(), train, intervals=False).set_index("shot_group")
    assert frame.loc["few", "gap"] == pytest.approx(62.5)
    assert np.isnan(frame.loc["medium", "gap"])
    assert frame["low"].isna().all()


def test_bins_of_reliability_are_by_group() -> None:
    frame = reliability_frame(one_seed())
    few = frame[frame["shot_group"] == "few"]
    assert few["predictions"].tolist() == [1, 1, 1, 1, 2]
    assert few["accuracy"].tolist() == [0.0, 100.0, 100.0, 0.0, 0.0]
    assert frame[frame["shot_group"] == "overall"]["predictions"].sum() == 14


@pytest.mark.parametrize(("confidence", "images"), [(97.0, 1), (50.0, 2), (80.0, 7), (100.0, 3)])
def test_calibration_by_chance_is_a_mean_over_outcomes(confidence: float, images: int) -> None:
    p = confidence / 100
    outcomes = (np.random.default_rng(0).random((200_000, images)) < p).mean(axis=1)
    expected = 100 * np.abs(outcomes - p).mean()
    found = chance_calibration_error(np.array([confidence]), np.array([images]))
    assert found == pytest.approx(expected, abs=0.15)


def test_calibration_by_chance_is_small_for_many_images() -> None:
    bins = np.array([20.0, 60.0]), np.array([100_000, 300_000])
    assert chance_calibration_error(*bins) < 0.1
