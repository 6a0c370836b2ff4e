"""Accuracies by class and shot group, and calibration, from stored predictions. All in percent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.crossed import crossed_interval
from ltbench.analysis.stats.strata import Strata

GROUPS = ("many", "medium", "few")
INTERVAL_METHOD = "crossed"
"""Recorded beside the intervals: those of results without it are of an earlier method."""
_CALIBRATION_BINS = 15


class PredictionArrays(Protocol):
    """Predictions for N test images, stored or not."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,) true classes."""

    @property
    def predicted(self) -> NDArray[np.int64]:
        """(N,) predicted classes."""

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(N,) probabilities of the predicted classes, 0 to 1."""


@dataclass(frozen=True)
class ShotRule:
    """Where many ends and few begins, by training images of a class.

    Args:
        name: Recorded with every number that the rule made.
        many_from: Fewest images of a many-shot class.
        few_to: Most images of a few-shot class.
    """

    name: str
    many_from: int
    few_to: int

    def groups(self, class_counts: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
        """Returns which classes each group has, (K,)."""
        many, few = class_counts >= self.many_from, class_counts <= self.few_to
        return {"many": many, "medium": ~many & ~few, "few": few}


SHOT_RULES = {
    rule.name: rule
    for rule in (
        ShotRule("exclusive", many_from=101, few_to=19),  # > 100, 20 to 100, < 20
        ShotRule("inclusive", many_from=100, few_to=20),  # >= 100, 21 to 99, <= 20: older code
    )
}
DEFAULT_RULE = SHOT_RULES["exclusive"]


def compute_metrics(
    predictions: PredictionArrays, class_counts: NDArray[np.int64], rule: ShotRule = DEFAULT_RULE
) -> dict[str, Any]:
    """Returns every metric of a run.

    Args:
        predictions: Of the test split.
        class_counts: (K,) training images of each class.
        rule: Which classes are many-, medium- and few-shot.

    Returns:
        `accuracy`, `mean_class`, `many`, `medium`, `few` (None for an empty group), `harmonic` (of
        the non-empty groups), `macro_f1`, `ece`, `intervals` (95 %, for each accuracy, over other
        test images), `interval_method`, `per_class` (None for a class without test images),
        `group_classes` (those with test images), `shot_rule`, `test_images`.
    """
    labels, predicted = predictions.labels, predictions.predicted
    correct = np.bincount(labels[labels == predicted], minlength=len(class_counts))
    support = np.bincount(labels, minlength=len(class_counts))
    present = support > 0
    groups = rule.groups(class_counts)
    values, per_class = accuracies(labels, predicted, class_counts, rule)
    shots = [value for name in GROUPS if (value := values[name]) is not None]
    return {
        **values,
        "harmonic": len(shots) / sum(1 / value for value in shots) if all(shots) else 0.0,
        "macro_f1": _macro_f1(labels, predicted, correct, support),
        "ece": calibration_error(predictions),
        "intervals": intervals(predictions, groups),
        "interval_method": INTERVAL_METHOD,
        "per_class": [None if np.isnan(value) else float(value) for value in per_class],
        "group_classes": {
            "all": int(present.sum()),
            **{name: int((members & present).sum()) for name, members in groups.items()},
        },
        "shot_rule": rule.name,
        "test_images": len(labels),
    }


def accuracies(
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    class_counts: NDArray[np.int64],
    rule: ShotRule = DEFAULT_RULE,
) -> tuple[dict[str, float | None], NDArray[np.float64]]:
    """Returns accuracies, and those of each class, (K,), NaN for a class without test images.

    The first are `accuracy`, `mean_class`, `many`, `medium` and `few` (None for an empty group).

    Args:
        labels: (N,) true classes.
        predicted: (N,) classes.
        class_counts: (K,) training images of each class.
        rule: Which classes are many-, medium- and few-shot.
    """
    classes = len(class_counts)
    correct = np.bincount(labels[labels == predicted], minlength=classes)
    support = np.bincount(labels, minlength=classes)
    groups, present = rule.groups(class_counts), support > 0
    each = _percent_each(correct, support)
    members = {"mean_class": present, **{name: groups[name] & present for name in GROUPS}}
    # Quotients of whole numbers: 9 of 9 images are 100, not 99.99999999999999.
    means = {"accuracy": float(100.0 * correct.sum() / support.sum())} | {
        name: float(each[chosen].mean()) if chosen.any() else None
        for name, chosen in members.items()
    }
    return means, each


def intervals(
    predictions: PredictionArrays, groups: dict[str, NDArray[np.bool_]]
) -> dict[str, list[float] | None]:
    """Returns the 95 % interval of each accuracy over other test images, as leaderboards do.

    Args:
        predictions: Of the test split, by one model.
        groups: Shot group -> (K,) whether each class belongs to it.

    Returns:
        Lower and upper bound in percent; None for a shot group without test images.
    """
    right = predictions.labels == predictions.predicted
    found = crossed_interval(right[None], Strata.of_classes(predictions.labels, groups))
    return {
        name: [100 * found[name].low, 100 * found[name].high] if name in found else None
        for name in ("accuracy", "mean_class", *GROUPS)
    }


def _percent_each(correct: NDArray[np.int64], support: NDArray[np.int64]) -> NDArray[np.float64]:
    shares = np.full(len(support), np.nan)
    np.divide(100.0 * correct, support, out=shares, where=support > 0)
    return shares


def _macro_f1(
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    correct: NDArray[np.int64],
    support: NDArray[np.int64],
) -> float:
    """Mean over the classes with test images of 2 TP / (2 TP + FP + FN)."""
    said = np.bincount(predicted, minlength=len(support))
    present = support > 0
    return float((200.0 * correct[present] / (support + said)[present]).mean())


def reliability(
    confidence: NDArray[np.float64], right: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Bins images by confidence, in 15 equal bins of which the empty ones are left out.

    Args:
        confidence: (N,) from 0 to 1.
        right: (N,) whether the prediction is.

    Returns:
        Mean confidence, accuracy and share of the images in percent, (B,) each.
    """
    bins = np.minimum((confidence * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
    images = np.bincount(bins, minlength=_CALIBRATION_BINS)
    filled = images > 0
    said, held = (
        100.0 * np.bincount(bins, values, _CALIBRATION_BINS)[filled] / images[filled]
        for values in (confidence, right)
    )
    return said, held, 100.0 * images[filled] / len(right)


def calibration_error(predictions: PredictionArrays) -> float:
    """Mean gap between confidence and accuracy over the bins (Guo et al., ICML 2017)."""
    right = predictions.labels == predictions.predicted
    confidence, accuracy, share = reliability(predictions.confidence, right)
    return float(np.abs(accuracy - confidence) @ share / 100)
