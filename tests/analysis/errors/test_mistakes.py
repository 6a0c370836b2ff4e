from __future__ import annotations

import numpy as np
import pytest

from ltbench.analysis.errors.mistakes import mistake_frame, pictured_mistakes
from ltbench.analysis.errors.pooled_predictions import PooledPredictions
from tests.analysis.errors.pools import LABELS, NAMES, TRAIN, one_seed, read, two_seeds

IMAGES = np.array([f"{number}.jpg" for number in range(len(LABELS))], dtype=object)


def test_mistakes_are_sorted_by_confidence() -> None:
    frame = mistake_frame(one_seed(), IMAGES)
    assert frame["confidence"].tolist() == pytest.approx([99.0, 95.0, 70.0, 60.0, 60.0, 50.0, 30.0])
    assert frame["image"].tolist()[:2] == ["9.jpg", "12.jpg"]
    assert frame["index"].tolist()[:2] == [19, 22]  # in the split, which begins earlier
    assert frame["label_name"].tolist()[:2] == ["owl", "eel"]
    assert frame["predicted_group"].tolist()[:2] == ["many", "many"]
    assert frame["image"].tolist()[3:5] == ["3.jpg", "10.jpg"]  # equal: in the order of the split


def test_seeds_that_agree_are_first() -> None:
    frame = mistake_frame(two_seeds(), IMAGES).set_index("image")
    # 12.jpg is wrong with 0.95 in one seed, 9.jpg with 0.99 and 0.5 in both.
    assert frame.index.tolist()[:2] == ["9.jpg", "7.jpg"]
    assert frame.loc["9.jpg", "confidence"] == pytest.approx(74.5)
    assert frame["wrong_seeds"].tolist()[:2] == [2, 2]
    assert frame.loc["12.jpg", "wrong_seeds"] == 1
    assert frame.loc["10.jpg", "predicted_name"] == "dog"  # 0.6 in one seed, eel with 0.5


def test_names_may_be_unknown() -> None:
    assert mistake_frame(one_seed(), None)["image"].isna().all()


def test_a_confidence_of_zero_is_a_mistake_too() -> None:
    pooled = PooledPredictions.of([read(LABELS), read(confidence=[0.0] * 14)], NAMES, TRAIN)
    frame = mistake_frame(pooled, IMAGES)
    assert frame["wrong_seeds"].tolist() == [1] * 7
    assert frame["predicted_name"].tolist()[0] == "cat"  # of the wrong seed, not of the right one


def test_one_class_does_not_fill_the_sheet() -> None:
    labels = np.array([2] * 9 + [3])
    wrong = read([0] * 10, [0.9] * 9 + [0.1])
    wrong.labels, wrong.indices = labels, np.arange(10)
    frame = mistake_frame(PooledPredictions.of([wrong], NAMES, TRAIN), None)
    assert pictured_mistakes(frame, "few", 24)["label"].tolist() == [2, 2, 2, 2, 3]
    assert len(pictured_mistakes(frame, "few", 3)) == 3
    assert len(pictured_mistakes(frame, "many", 24)) == 0
