"""Documented columns of a table: a dataclass whose fields are columns of a pandas data frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

DType = Literal["Int64", "float64", "boolean", "string"]
"""Types of pandas: each has an unknown value."""
Columns = Sequence[Field[Any]]
"""Fields of a dataclass, made by `column_field`."""


def column_field(dtype: DType, help: str, decimals: int | None = 4) -> Any:
    """Returns a field of a dataclass for a column; its default is None, unknown.

    Args:
        dtype: Type of the column in pandas.
        help: Description of the values.
        decimals: Number of decimals of rounded values; None for four significant digits.
    """
    return field(default=None, metadata={"dtype": dtype, "help": help, "decimals": decimals})


def round_values(row: Any, columns: Columns) -> dict[str, Any]:
    """Returns the values of a row by the names of the columns, rounded as the columns specify."""
    return {
        column.name: _round_value(getattr(row, column.name), column.metadata["decimals"])
        for column in columns
    }


def frame_of(rows: Sequence[Any], columns: Columns, *, rounded: bool) -> pd.DataFrame:
    """Returns rows as a data frame with the documented types.

    Args:
        rows: Instances of the dataclass that has the columns.
        columns: Columns of the frame, in their order.
        rounded: Whether numbers are rounded as the columns specify.
    """
    import pandas as pd

    from ltbench.io.tables import text_series

    values: dict[str, list[Any]] = {column.name: [] for column in columns}
    for row in rows:
        known = round_values(row, columns) if rounded else vars(row)
        for name, column_values in values.items():
            column_values.append(known[name])
    return pd.DataFrame(
        {
            column.name: text_series(values[column.name])
            if column.metadata["dtype"] == "string"
            else pd.Series(values[column.name], dtype=column.metadata["dtype"])
            for column in columns
        }
    )


def _round_value(value: Any, decimals: int | None) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.4g}") if decimals is None else round(value, decimals)
