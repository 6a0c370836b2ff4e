"""Leaderboards as data frames of pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ltbench.analysis.columns import frame_of
from ltbench.analysis.leaderboard.rows import COLUMNS, Row

if TYPE_CHECKING:
    import pandas as pd


def leaderboard_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Returns rows of a leaderboard as a data frame: the columns and numbers of the CSV file.

    Columns have the types of `COLUMNS`, which `ltbench docs leaderboard` lists. Unknown values are
    `pandas.NA`, and NaN in columns of floats.

    Args:
        rows: Rows, as from `Leaderboard.rows`.
    """
    return frame_of(rows, COLUMNS, rounded=True)
