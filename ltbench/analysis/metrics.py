"""Accuracy per class and shot group, and calibration, from stored predictions. In percent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHOT_GROUPS = ("many", "medium", "few")
INTERVAL_METHOD = "crossed"
"""Method of the intervals, stored with them; results without it have an earlier method's."""
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
    """Rule that assigns classes to shot groups by their number of training images.

    Args:
        name: Name, stored with every number computed by this rule.
        many_from: Smallest number of training images of a many-shot class.
        few_to: Largest number of training images of a few-shot class.
    """

    name: str
    many_from: int
    few_to: int

    def groups(self, class_counts: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
        """Returns, for each group, whether each class belongs to it, (K,)."""
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
        predictions: Predictions on the test split.
        class_counts: (K,) number of training images of each class.
        rule: Rule of the shot groups.

    Returns:
        `accuracy`, `mean_class`, `many`, `medium`, `few` (None for an empty group), `harmonic`
        (harmonic mean of the non-empty groups), `macro_f1`, `ece`, `intervals` (95 %, for each
        accuracy, over the choice of test images), `interval_method`, `per_class` (None for a class
        without test images), `group_classes` (number of classes with test images), `shot_rule`,
        `test_images` (number of images).
    """
    import numpy as np

    labels, predicted = predictions.labels, predictions.predicted
    correct = np.bincount(labels[labels == predicted], minlength=len(class_counts))
    support = np.bincount(labels, minlength=len(class_counts))
    present = support > 0
    groups = rule.groups(class_counts)
    values, per_class = accuracies(labels, predicted, class_counts, rule)
    shots = [value for name in SHOT_GROUPS if (value := values[name]) is not None]
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
    """Returns mean accuracies and the accuracy of each class, in percent.

    Args:
        labels: (N,) true classes.
        predicted: (N,) predicted classes.
        class_counts: (K,) number of training images of each class.
        rule: Rule of the shot groups.

    Returns:
        `accuracy`, `mean_class`, `many`, `medium` and `few` (None for an empty group), and (K,)
        accuracies of the classes, NaN for a class without test images.
    """
    import numpy as np

    classes = len(class_counts)
    correct = np.bincount(labels[labels == predicted], minlength=classes)
    support = np.bincount(labels, minlength=classes)
    groups, present = rule.groups(class_counts), support > 0
    each = _class_accuracies(correct, support)
    members = {"mean_class": present, **{name: groups[name] & present for name in SHOT_GROUPS}}
    # Quotients of integers: 9 of 9 images are 100, not 99.99999999999999.
    means = {"accuracy": float(100.0 * correct.sum() / support.sum())} | {
        name: float(each[chosen].mean()) if chosen.any() else None
        for name, chosen in members.items()
    }
    return means, each


def intervals(
    predictions: PredictionArrays, groups: dict[str, NDArray[np.bool_]]
) -> dict[str, list[float] | None]:
    """Returns the 95 % interval of each accuracy over the choice of test images.

    Args:
        predictions: Predictions of one model on the test split.
        groups: Shot group -> (K,) whether each class belongs to it.

    Returns:
        Accuracy name -> lower and upper bound in percent, computed as on leaderboards; None for a
        shot group without test images.
    """
    from ltbench.analysis.stats.accuracy_interval import crossed_interval
    from ltbench.analysis.stats.strata import Strata

    right = predictions.labels == predictions.predicted
    found = crossed_interval(right[None], Strata.from_labels(predictions.labels, groups))
    return {
        name: [100 * found[name].low, 100 * found[name].high] if name in found else None
        for name in ("accuracy", "mean_class", *SHOT_GROUPS)
    }


def _class_accuracies(
    correct: NDArray[np.int64], support: NDArray[np.int64]
) -> NDArray[np.float64]:
    import numpy as np

    shares = np.full(len(support), np.nan)
    np.divide(100.0 * correct, support, out=shares, where=support > 0)
    return shares


def _macro_f1(
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    correct: NDArray[np.int64],
    support: NDArray[np.int64],
) -> float:
    """Returns the mean of 2 TP / (2 TP + FP + FN) over the classes with test images, in percent."""
    import numpy as np

    predictions_of_class = np.bincount(predicted, minlength=len(support))
    present = support > 0
    return float((200.0 * correct[present] / (support + predictions_of_class)[present]).mean())


def reliability_bins(
    confidence: NDArray[np.float64], right: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Groups images into 15 bins of equal width by confidence, and omits the empty bins.

    Args:
        confidence: (N,) confidences, 0 to 1.
        right: (N,) whether each prediction is correct.

    Returns:
        Mean confidence, accuracy and share of the images of each bin in percent, (B,) each.
    """
    import numpy as np

    bins = np.minimum((confidence * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
    images = np.bincount(bins, minlength=_CALIBRATION_BINS)
    filled = images > 0
    mean_confidence, accuracy = (
        100.0 * np.bincount(bins, values, _CALIBRATION_BINS)[filled] / images[filled]
        for values in (confidence, right)
    )
    return mean_confidence, accuracy, 100.0 * images[filled] / len(right)


def calibration_error(predictions: PredictionArrays) -> float:
    """Returns the expected calibration error in percent (Guo et al., ICML 2017).

    It is the mean absolute gap between confidence and accuracy, each bin weighted by its images.
    """
    import numpy as np

    right = predictions.labels == predictions.predicted
    confidence, accuracy, share = reliability_bins(predictions.confidence, right)
    return float(np.abs(accuracy - confidence) @ share / 100)
