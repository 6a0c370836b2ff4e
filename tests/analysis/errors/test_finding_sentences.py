from __future__ import annotations

from collections.abc import Mapping

from ltbench.analysis.errors.class_errors import class_frame
from ltbench.analysis.errors.finding_sentences import class_notes, finding_sentences
from ltbench.analysis.errors.group_errors import group_frame
from ltbench.analysis.errors.pooled_predictions import PooledPredictions
from tests.analysis.errors.pools import LABELS, NAMES, TRAIN, one_seed, read, two_seeds


def said(pooled: PooledPredictions, train: Mapping[str, float | None] | None = None) -> list[str]:
    return list(finding_sentences(pooled, group_frame(pooled, train), class_frame(pooled)))


def test_the_answer_is_first() -> None:
    accuracy, directions, worst, confidence = said(one_seed())
    assert accuracy.startswith("The 2 few-shot classes have an accuracy of 37.5 % (95 % interval ")
    assert accuracy.endswith(", so wide because of 6 test images).")
    assert directions == (
        "4 of their 6 predictions are wrong, of which 75 % are a many-shot class, 25 % a "
        "medium-shot class (20 % of all classes are many-shot)."
    )
    assert worst == (
        "The worst few-shot class is owl (5 training images): 1 of 4 images are right, and 2 go "
        "to dog (many)."
    )
    assert confidence.startswith("Mean confidence on few-shot images is 62.3 %, 29.0 points above")


def test_predictions_of_seeds_are_counted_together() -> None:
    sentences = said(two_seeds())
    assert sentences[1].startswith(
        "7 of their 12 predictions are wrong over 2 seeds, of which 57 %"
    )
    assert "2 of 8 predictions are right, and 3 go to dog" in sentences[2]


def test_training_accuracy_is_compared_with_the_head() -> None:
    train = {"accuracy": 90.0, "many": 80.0, "medium": 70.0, "few": 100.0}
    assert said(one_seed(), train)[-1] == (
        "Training accuracy of few-shot classes is 100.0 %, 62.5 points above their accuracy; for "
        "many-shot classes the gap is 5.0 points."
    )


def test_a_perfect_model_has_no_worst_class() -> None:
    sentences = said(PooledPredictions.of([read(LABELS)], NAMES, TRAIN))
    assert sentences[1] == "None of their 6 predictions is wrong."
    assert not any("worst" in text for text in sentences)


def test_notes_name_what_was_not_tested() -> None:
    (note,) = class_notes(one_seed(), class_frame(one_seed()))
    assert note == "1 of 5 classes has no test images, so nothing is known about yak."
    pooled = PooledPredictions.of([read()], NAMES, [200, 50, 30, 30, 1])
    assert next(iter(class_notes(pooled, class_frame(pooled)))) == (
        "No few-shot class has test images: the rarest group is medium-shot."
    )
