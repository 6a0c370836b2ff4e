"""Leaderboards as data frames of pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ltbench.analysis.columns import frame_of
from ltbench.analysis.leaderboard.board import Leaderboard
from ltbench.analysis.leaderboard.diagnosis_columns import (
    DIAGNOSIS_COLUMNS,
    DIAGNOSIS_NAMES,
    diagnosis_frame,
)
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


def chosen_frame(board: Leaderboard, names: Sequence[str] | None) -> pd.DataFrame:
    """Returns the rows of a leaderboard as a data frame with some columns.

    Args:
        board: Rankings and published results.
        names: Names of the columns, from `read_columns`; None for all columns of the CSV file.

    Raises:
        DataError: A column of diagnoses is named, and a stored one is damaged.
    """
    frame = leaderboard_frame(board.rows())
    if names is None:
        return frame
    if not set(names).isdisjoint(DIAGNOSIS_NAMES):
        import pandas as pd

        each = [
            diagnosis_frame(ranking, len(board.published_beside(ranking)))
            for ranking in board.rankings
        ]
        decimals = {one.name: one.metadata["decimals"] for one in DIAGNOSIS_COLUMNS}
        frame = frame.join(pd.concat(each, ignore_index=True).round(decimals))
    return frame[list(names)]
