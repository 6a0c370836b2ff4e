"""Columns of pandas from values of Python, made once for each distinct value."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ltbench.config.text import as_typed

if TYPE_CHECKING:
    import pandas as pd


def typed_series(values: Sequence[Any], dtype: str) -> pd.Series:
    """Returns values as a column of a documented type; None is unknown.

    Args:
        values: Values of one type.
        dtype: Type in pandas: "category" has categories in ascending order.
    """
    import pandas as pd

    if dtype != "category":
        return pd.Series(values, dtype=dtype)
    known = sorted({value for value in values if value is not None})
    return pd.Series(pd.Categorical(values, categories=pd.Index(known, dtype="str")))


def inferred_series(values: Sequence[Any]) -> pd.Series:
    """Returns the values of an option as a column of the narrowest type; None is unknown.

    Truth values, whole numbers and numbers keep their type; texts are a category, and so is
    everything else, written as for `--set`.

    Args:
        values: JSON values.
    """
    types = {type(value) for value in values if value is not None}
    if types == {bool}:
        return typed_series(values, "boolean")
    if types == {int}:
        return typed_series(values, "Int64")
    if types and types <= {int, float}:
        return typed_series([None if v is None else float(v) for v in values], "float64")
    texts = [v if v is None or isinstance(v, str) else as_typed(v) for v in values]
    return typed_series(texts, "category")


def repeated(values: Sequence[Any], dtype: str, counts: Sequence[int]) -> pd.Series:
    """Returns a column in which each value is repeated.

    Args:
        values: A value for each group of rows.
        dtype: Type in pandas.
        counts: Number of rows of each group.
    """
    import numpy as np

    rows = np.repeat(np.arange(len(values)), counts)
    return typed_series(values, dtype).take(rows).reset_index(drop=True)


def distinct(items: Iterable[Hashable]) -> tuple[list[int], list[int]]:
    """Returns the place of each item among the distinct ones, and where these occur first."""
    places: dict[Hashable, int] = {}
    codes: list[int] = []
    firsts: list[int] = []
    for number, item in enumerate(items):
        code = places.setdefault(item, len(places))
        codes.append(code)
        if code == len(firsts):
            firsts.append(number)
    return codes, firsts
