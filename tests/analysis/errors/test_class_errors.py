from __future__ import annotations

import numpy as np
import pytest

from ltbench.analysis.errors.class_errors import class_frame, confusion_frame
from ltbench.analysis.errors.pooled_predictions import PooledPredictions
from ltbench.analysis.stats.bounds import clopper_pearson
from tests.analysis.errors.pools import LABELS, NAMES, TRAIN, one_seed, read, two_seeds


def test_classes_are_sorted_from_the_worst() -> None:
    frame = class_frame(one_seed())
    # cat and eel are half right; cat has more test images, and yak has none.
    assert frame["class_name"].tolist() == ["owl", "cat", "eel", "dog", "yak"]
    assert frame["class_id"].tolist() == [2, 1, 3, 0, 4]
    assert frame["shot_group"].tolist() == ["few", "medium", "few", "many", "few"]
    assert frame["train_images"].tolist() == [5, 50, 3, 200, 1]
    assert frame["test_images"].tolist() == [4, 4, 2, 4, 0]
    assert frame["correct"].tolist() == [1, 2, 1, 3, 0]
    assert frame["accuracy"].tolist()[:4] == [25.0, 50.0, 50.0, 75.0]
    assert np.isnan(frame["accuracy"].iloc[-1])
    assert frame["taken_by_name"].tolist()[:4] == ["dog", "dog", "dog", "cat"]
    assert frame["taken_by_group"].tolist()[:4] == ["many", "many", "many", "medium"]
    assert frame["taken"].tolist() == [2, 2, 1, 1, 0]
    assert frame["taken_share"].tolist()[:4] == [50.0, 50.0, 50.0, 25.0]
    assert frame["taken_by"].isna().tolist() == [False] * 4 + [True]


def test_intervals_are_exact_and_of_images_alone() -> None:
    frame = class_frame(two_seeds()).set_index("class_name")
    owl = frame.loc["owl"]
    assert (owl["correct"], owl["accuracy"]) == (2, 25.0)
    low, high = clopper_pearson(0.25, 4, 0.95)  # four images, however many seeds
    assert [owl["low"], owl["high"]] == pytest.approx([100 * low, 100 * high])
    assert np.isnan(frame.loc["yak", "low"])


def test_of_equal_takers_the_more_frequent_class_is_named() -> None:
    predicted = [*LABELS[:8], 3, 1, 0, 2, 3, 3]  # an owl each for eel, cat and dog
    frame = class_frame(PooledPredictions.of([read(predicted)], NAMES, TRAIN))
    assert frame["taken_by_name"].iloc[0] == "dog"


def test_a_perfect_model_has_no_confusions() -> None:
    pooled = PooledPredictions.of([read(LABELS)], NAMES, TRAIN)
    frame = class_frame(pooled)
    assert frame["taken"].sum() == 0
    assert frame["taken_by_name"].isna().all()
    assert frame["taken_share"].tolist()[:4] == [0.0] * 4
    assert len(confusion_frame(pooled)) == 0


def test_confusions_are_counted_by_hand() -> None:
    frame = confusion_frame(two_seeds())
    pairs = zip(frame["label_name"], frame["predicted_name"], strict=True)
    counted = zip(frame["count"], frame["share"], strict=True)
    found = dict(zip(pairs, counted, strict=True))
    assert found == {
        ("owl", "dog"): (3, 37.5),
        ("cat", "dog"): (3, 37.5),
        ("owl", "cat"): (2, 25.0),
        ("eel", "dog"): (1, 25.0),
        ("owl", "eel"): (1, 12.5),
        ("dog", "cat"): (1, 12.5),
    }
    assert frame["count"].tolist() == [3, 3, 2, 1, 1, 1]
    assert frame["predicted_group"].tolist()[:3] == ["many", "many", "medium"]


def test_thousands_of_classes_take_less_than_a_second() -> None:
    """A guard against a loop over classes: iNaturalist has 8,142."""
    from time import process_time

    classes, seeds = 8142, 3
    labels = np.repeat(np.arange(classes), 3)
    rng = np.random.default_rng(0)
    each = []
    for _ in range(seeds):
        one = read()
        one.indices, one.labels = np.arange(len(labels)), labels
        wrong = rng.random(len(labels)) < 0.3
        one.predicted = np.where(wrong, rng.integers(0, classes, len(labels)), labels)
        one.confidence = rng.random(len(labels))
        each.append(one)
    counts = np.sort(rng.integers(2, 1000, classes))[::-1]
    pooled = PooledPredictions.of(each, [f"class {k}" for k in range(classes)], counts)
    start = process_time()
    assert len(class_frame(pooled)) == classes
    assert len(confusion_frame(pooled)) > classes
    assert process_time() - start < 1
