"""Accuracy, confidence and direction of the errors of each shot group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.errors.pooled_predictions import PooledPredictions
from ltbench.analysis.metrics import SHOT_GROUPS, accuracies, reliability_bins
from ltbench.analysis.stats.accuracy_interval import MeanInterval, crossed_interval
from ltbench.analysis.stats.strata import Strata

if TYPE_CHECKING:
    import pandas as pd

OVERALL = "overall"
GROUPS = (OVERALL, *SHOT_GROUPS)
"""Rows of the tables by shot group."""
LEVEL = 0.95
"""Level of the intervals."""
_METRICS = {OVERALL: "accuracy", **{name: name for name in SHOT_GROUPS}}

TrainAccuracies = Mapping[str, float | None]
"""Accuracy on the training images by metric, in percent: `accuracy`, `many`, `medium`, `few`."""


def group_frame(
    pooled: PooledPredictions,
    train: TrainAccuracies | None = None,
    *,
    intervals: bool = True,
) -> pd.DataFrame:
    """Returns a row for all images and for each shot group.

    Accuracies are those of results: of images overall, and means over the classes of a group. The
    other columns are of images.

    Args:
        pooled: Predictions of all seeds.
        train: Accuracies on the training images, means over the seeds; None where unknown.
        intervals: Whether `low` and `high` are computed; they are unknown else.

    Returns:
        `shot_group`, `classes` and `test_images` (those with test images, and theirs), `accuracy`
        with `low` and `high` (95 %, over test images and seeds), `train_accuracy`, `gap` (training
        accuracy minus accuracy), `wrong` (wrong predictions), `to_many`, `to_medium` and `to_few`
        (percentages of these that are a class of this group), `confidence` (mean), `overconfidence`
        (mean confidence minus percentage of correct images), `ece` and `ece_by_chance` (expected
        value for a calibrated model with the same confidences and number of images).
    """
    import pandas as pd

    members = _members(pooled)
    means = _mean_accuracies(pooled)
    bounds = _bounds(pooled) if intervals else {}
    flows = _flows(pooled)
    rows = []
    for name, of_group in members.items():
        metric, images = _METRICS[name], int(of_group.sum())
        found, known = bounds.get(metric), means[metric]
        trained = None if train is None else train.get(metric)
        gap = None if trained is None or known is None else trained - known
        wrong, shares = flows[name]
        row = {
            "shot_group": name,
            "classes": len(np.unique(pooled.labels[of_group])),
            "test_images": images,
            "accuracy": known,
            "low": None if found is None else 100 * found.low,
            "high": None if found is None else 100 * found.high,
            "train_accuracy": trained,
            "gap": gap,
            "wrong": wrong,
            **{f"to_{group}": share for group, share in zip(SHOT_GROUPS, shares, strict=True)},
            **(_calibration(pooled, of_group) if images else {}),
        }
        rows.append(row)
    whole = ("classes", "test_images", "wrong")
    frame = pd.DataFrame(rows)
    return frame.astype(
        {
            name: "string" if name == "shot_group" else "Int64" if name in whole else "float64"
            for name in frame.columns
        }
    )


def reliability_frame(pooled: PooledPredictions) -> pd.DataFrame:
    """Returns the bins of a reliability diagram for all images and for each shot group.

    Args:
        pooled: Predictions of all seeds, which are counted together.

    Returns:
        `shot_group`, `confidence` (mean), `accuracy`, `predictions` (number in the bin); a row for
        each of 15 bins of equal width that has predictions.
    """
    import pandas as pd

    parts = []
    for name, of_group in _members(pooled).items():
        confidence, right = pooled.confidence[:, of_group], ~pooled.wrong[:, of_group]
        if not right.size:
            continue
        said, held, share = reliability_bins(confidence.ravel(), right.ravel())
        counts = np.rint(share * right.size / 100).astype(np.int64)
        parts.append(
            pd.DataFrame(
                {
                    "shot_group": pd.Series([name] * len(said), dtype="string"),
                    "confidence": said,
                    "accuracy": held,
                    "predictions": pd.Series(counts, dtype="Int64"),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def chance_calibration_error(confidence: NDArray[np.float64], images: NDArray[np.int64]) -> float:
    """Returns the expected calibration error of a calibrated model, in percent.

    With few images, accuracy and confidence of a bin differ by chance, and the calibration error is
    above 0 for every model. In a bin of n images with confidence p, the number of correct images is
    binomial, and its mean absolute deviation is 2 v C(n, v) p^v (1 - p)^(n - v + 1) with v =
    floor(n p) + 1 (De Moivre, 1730).

    Args:
        confidence: (B,) mean confidence of each bin in percent.
        images: (B,) number of images of each bin.
    """
    from scipy.special import gammaln, xlog1py, xlogy

    n, p = images.astype(np.float64), np.clip(confidence / 100, 0, 1)
    v = np.minimum(np.floor(n * p) + 1, n)
    chosen = gammaln(n + 1) - gammaln(v + 1) - gammaln(n - v + 1)
    logs = np.log(2 * v) + chosen + xlogy(v, p) + xlog1py(n - v + 1, -p)
    return float(100 * np.exp(logs).sum() / images.sum())


def _calibration(pooled: PooledPredictions, of_group: NDArray[np.bool_]) -> dict[str, float]:
    """Returns confidence and calibration errors of some images, means over the seeds."""
    errors, by_chance = [], []
    confidence, right = pooled.confidence[:, of_group], ~pooled.wrong[:, of_group]
    for one, held in zip(confidence, right, strict=True):
        said, accuracy, share = reliability_bins(one, held)
        errors.append(np.abs(accuracy - said) @ share / 100)
        counts = np.rint(share * len(one) / 100).astype(np.int64)
        by_chance.append(chance_calibration_error(said, counts))
    mean = 100 * float(confidence.mean())
    return {
        "confidence": mean,
        "overconfidence": mean - 100 * float(right.mean()),
        "ece": float(np.mean(errors)),
        "ece_by_chance": float(np.mean(by_chance)),
    }


def _bounds(pooled: PooledPredictions) -> dict[str, MeanInterval]:
    """Returns the intervals of the accuracies by metric, over test images and seeds."""
    strata = Strata.from_labels(pooled.labels, pooled.rule.groups(pooled.train_images))
    return crossed_interval(~pooled.wrong, strata, level=LEVEL)


def _members(pooled: PooledPredictions) -> dict[str, NDArray[np.bool_]]:
    """Returns, for all images and each shot group, whether each image belongs to it, (N,)."""
    group = pooled.group_of[pooled.labels]
    parts = {name: group == number for number, name in enumerate(SHOT_GROUPS)}
    return {OVERALL: np.ones(len(group), dtype=np.bool_), **parts}


def _mean_accuracies(pooled: PooledPredictions) -> dict[str, float | None]:
    """Returns the accuracies by metric in percent, means over the seeds."""
    each = [
        accuracies(pooled.labels, predicted, pooled.train_images, pooled.rule)[0]
        for predicted in pooled.predicted
    ]
    found: dict[str, float | None] = {}
    for metric in _METRICS.values():
        values = [value for one in each if (value := one[metric]) is not None]
        found[metric] = float(np.mean(values)) if values else None
    return found


def _flows(pooled: PooledPredictions) -> dict[str, tuple[int, list[float | None]]]:
    """Returns the wrong predictions of each row, and the percentage of each shot group in them."""
    _, images = np.nonzero(pooled.wrong)
    size = len(SHOT_GROUPS)
    source = pooled.group_of[pooled.labels[images]]
    target = pooled.group_of[pooled.predicted[pooled.wrong]]
    table = np.bincount(source * size + target, minlength=size * size).reshape(size, size)
    rows = {OVERALL: table.sum(axis=0), **dict(zip(SHOT_GROUPS, table, strict=True))}
    return {
        name: (
            int(row.sum()),
            [100 * float(value) / row.sum() if row.sum() else None for value in row],
        )
        for name, row in rows.items()
    }
