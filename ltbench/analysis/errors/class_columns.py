"""Columns of data frames that describe classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.errors.pooled_predictions import PooledPredictions
from ltbench.analysis.metrics import SHOT_GROUPS

if TYPE_CHECKING:
    import pandas as pd


def class_columns(
    pooled: PooledPredictions, prefix: str, classes: NDArray[np.int64]
) -> dict[str, pd.Series]:
    """Returns ids, names and shot groups of classes: `PREFIX`, `PREFIX_name`, `PREFIX_group`.

    Args:
        pooled: Predictions, which have the names and groups.
        prefix: Name of the column of the ids.
        classes: (M,) class of each row.
    """
    import pandas as pd

    from ltbench.io.tables import text_series

    names = np.array([str(name) for name in pooled.class_names], dtype=object)
    groups = np.array(SHOT_GROUPS, dtype=object)
    return {
        prefix: pd.Series(classes, dtype="Int64"),
        f"{prefix}_name": text_series(names[classes]),
        f"{prefix}_group": pd.Series(groups[pooled.group_of[classes]], dtype="string"),
    }
