"""Classes that wrong test images are predicted as: the consequence of inconsistent features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def error_columns(
    labels: Ints, predicted: Ints, trained_on: Ints, head: NDArray[np.bool_]
) -> dict[str, Floats]:
    """Returns sums over the wrong test images of each class, (K,) each, by `ERROR_COLUMNS`.

    Classes without training images have no log prior: images of such a class, or predicted as one,
    are in the first two columns only.

    Args:
        labels: (N,) true classes.
        predicted: (N,) predicted classes.
        trained_on: (K,) images of each class that were trained on, the prior that was learned.
        head: (K,) whether a class is many-shot.
    """
    classes = len(trained_on)
    trained = trained_on > 0
    logs = np.log(np.maximum(trained_on, 1))
    wrong = labels != predicted
    rated = wrong & trained[labels] & trained[predicted]

    def total(chosen: NDArray[np.bool_], values: Floats | None = None) -> Floats:
        kept = None if values is None else values[chosen]
        return np.bincount(labels[chosen], kept, minlength=classes).astype(np.float64)

    mean_others = (logs.sum() - logs) / np.maximum(trained.sum() - trained, 1)
    rated_errors = total(rated)
    return {
        "errors": total(wrong),
        "errors_to_head": total(wrong & head[predicted]),
        "rated_errors": rated_errors,
        "log_prior_sum": total(rated, logs[predicted] - logs[labels]),
        "log_prior_sum_chance": rated_errors * (mean_others - logs),
    }


def head_chances(head: NDArray[np.bool_]) -> Floats:
    """Returns the share of many-shot classes among the other classes of each class, (K,).

    Args:
        head: (K,) whether a class is many-shot.
    """
    shares: Floats = (head.sum() - head.astype(np.float64)) / max(len(head) - 1, 1)
    return shares
