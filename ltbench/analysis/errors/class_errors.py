"""Errors of each class: its accuracy, and the classes that take its images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.errors.class_columns import class_columns
from ltbench.analysis.errors.group_errors import LEVEL
from ltbench.analysis.errors.pooled_predictions import PooledPredictions
from ltbench.analysis.stats.bounds import clopper_pearson_bounds

if TYPE_CHECKING:
    import pandas as pd


def class_frame(pooled: PooledPredictions) -> pd.DataFrame:
    """Returns a row for each class, the worst first; those without test images last.

    Of classes with the same accuracy, the one with more test images is first, because its failure
    is more certain, and then the one with fewer training images.

    Args:
        pooled: Predictions of all seeds.

    Returns:
        `class_id`, `class_name`, `shot_group`, `train_images`, `test_images`, `correct` (correct
        predictions, of all seeds), `accuracy` (mean over the seeds) with `low` and `high` (95 %
        interval of Clopper and Pearson over other test images of the class; the variation between
        seeds is not in it), and the class that takes most of its images: `taken_by`,
        `taken_by_name`, `taken_by_group`, `taken` (predictions), `taken_share` (percentage of all
        predictions for the class).
    """
    import pandas as pd

    images, seeds = pooled.test_images, pooled.seeds
    right = np.tile(pooled.labels, (seeds, 1))[~pooled.wrong]
    correct = np.bincount(right, minlength=pooled.num_classes)
    share = np.full(pooled.num_classes, np.nan)
    np.divide(correct, seeds * images, out=share, where=images > 0)
    low, high = clopper_pearson_bounds(share, images, LEVEL)
    taker, taken = _main_confusions(pooled)
    order = np.lexsort((pooled.train_images, -images, share))  # NaN last
    every = class_columns(pooled, "class", np.arange(pooled.num_classes))
    takers = class_columns(pooled, "taken_by", taker)
    frame = pd.DataFrame(
        {
            "class_id": every["class"],
            "class_name": every["class_name"],
            "shot_group": every["class_group"],
            "train_images": pd.Series(pooled.train_images, dtype="Int64"),
            "test_images": pd.Series(images, dtype="Int64"),
            "correct": pd.Series(correct, dtype="Int64"),
            "accuracy": 100 * share,
            "low": 100 * low,
            "high": 100 * high,
            # A class without mistakes is taken by no class.
            **{name: column.where(taken > 0) for name, column in takers.items()},
            "taken": pd.Series(taken, dtype="Int64"),
            "taken_share": np.where(
                images > 0, 100 * taken / np.maximum(seeds * images, 1), np.nan
            ),
        }
    )
    return frame.take(order).reset_index(drop=True)


def confusion_frame(pooled: PooledPredictions) -> pd.DataFrame:
    """Returns a row for each true class and class that is predicted instead, most frequent first.

    Args:
        pooled: Predictions of all seeds.

    Returns:
        `label`, `label_name`, `label_group`, `predicted`, `predicted_name`, `predicted_group`,
        `count` (wrong predictions, of all seeds), `share` (percentage of all predictions for the
        true class).
    """
    import pandas as pd

    labels, predicted, counts = _confusions(pooled)
    share = 100 * counts / (pooled.seeds * pooled.test_images[labels])
    order = np.lexsort((predicted, labels, pooled.train_images[labels], -share, -counts))
    labels, predicted = labels[order], predicted[order]
    return pd.DataFrame(
        {
            **class_columns(pooled, "label", labels),
            **class_columns(pooled, "predicted", predicted),
            "count": pd.Series(counts[order], dtype="Int64"),
            "share": share[order],
        }
    )


def _confusions(
    pooled: PooledPredictions,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Returns true class, predicted class and number of each kind of wrong prediction."""
    _, images = np.nonzero(pooled.wrong)
    codes = pooled.labels[images] * pooled.num_classes + pooled.predicted[pooled.wrong]
    found, counts = np.unique(codes, return_counts=True)
    return found // pooled.num_classes, found % pooled.num_classes, counts


def _main_confusions(
    pooled: PooledPredictions,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the class that takes most images of each class, (K,), and their number, (K,).

    Of classes that take as many, the one with more training images is returned. A class without
    mistakes has the number 0.
    """
    labels, predicted, counts = _confusions(pooled)
    order = np.lexsort((predicted, -pooled.train_images[predicted], -counts, labels))
    labels, predicted, counts = labels[order], predicted[order], counts[order]
    classes, firsts = np.unique(labels, return_index=True)
    taker, taken = np.zeros((2, pooled.num_classes), dtype=np.int64)
    taker[classes], taken[classes] = predicted[firsts], counts[firsts]
    return taker, taken
