"""Single wrong images, the most confident first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.errors.class_columns import class_columns
from ltbench.analysis.errors.pooled_predictions import PooledPredictions

if TYPE_CHECKING:
    import pandas as pd

MAX_PICTURES_OF_CLASS = 4
"""Pictures of the same true class in a contact sheet: one bad class does not fill it."""


def mistake_frame(pooled: PooledPredictions, names: NDArray[np.object_] | None) -> pd.DataFrame:
    """Returns a row for each image that a seed predicts wrongly, the most confident first.

    The order is that of the confidence in wrong predictions, summed over the seeds.

    Args:
        pooled: Predictions of all seeds.
        names: (N,) names of the images; None where unknown.

    Returns:
        `index` (in the split), `image` (name), `label`, `label_name`, `label_group`, `predicted`,
        `predicted_name`, `predicted_group` (of the most confident wrong seed), `confidence` (mean
        of the wrong seeds, in percent), `wrong_seeds`.
    """
    import pandas as pd

    wrong_confidence = np.where(pooled.wrong, pooled.confidence, 0.0)
    wrong_seeds = pooled.wrong.sum(axis=0)
    rows = np.flatnonzero(wrong_seeds)
    sums = wrong_confidence[:, rows].sum(axis=0)
    # Rounded: the last bits of a probability depend on the machine, and equal ones keep the order.
    rows = rows[np.argsort(-sums.round(9), kind="stable")]
    # Also where the confidence is 0, the seed is one that is wrong.
    surest = np.where(pooled.wrong, pooled.confidence, -1.0)[:, rows].argmax(axis=0)
    labels, predicted = pooled.labels[rows], pooled.predicted[surest, rows]
    confidence = 100 * wrong_confidence[:, rows].sum(axis=0) / wrong_seeds[rows]
    images = None if names is None else names.take(rows)
    columns = {
        "index": pd.Series(pooled.indices[rows], dtype="Int64"),
        "image": pd.Series(pd.NA if images is None else images, range(len(rows)), dtype="string"),
        **class_columns(pooled, "label", labels),
        **class_columns(pooled, "predicted", predicted),
    }
    columns["confidence"] = pd.Series(confidence, dtype="float64")
    columns["wrong_seeds"] = pd.Series(wrong_seeds[rows], dtype="Int64")
    return pd.DataFrame(columns)


def pictured_mistakes(mistakes: pd.DataFrame, group: str, limit: int) -> pd.DataFrame:
    """Returns the rows of a contact sheet: the most confident mistakes of a shot group.

    Args:
        mistakes: Rows of `mistake_frame`.
        group: Shot group of the true class.
        limit: Largest number of rows; of one class at most `MAX_PICTURES_OF_CLASS`.
    """
    chosen = mistakes[mistakes["label_group"] == group]
    place = chosen.groupby("label", sort=False).cumcount()
    return chosen[(place < MAX_PICTURES_OF_CLASS).to_numpy()].head(limit)
