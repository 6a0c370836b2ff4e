"""Tables of pandas written as CSV and Markdown.

Texts in a table come from others: names of classes, methods and files. Each format has its escape
(`ltbench.io.text`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import pandas as pd

from ltbench.io.text import csv_text, line_text, markdown_text


def text_series(values: Iterable[Any]) -> pd.Series:
    """Returns texts as a column, each one line; None stays unknown."""
    texts = [None if value is None else line_text(str(value)) for value in values]
    return pd.Series(texts, dtype="string")


def format_series(values: pd.Series, form: Callable[[Any], str]) -> list[str]:
    """Returns the values of a column as texts; "" where a value is unknown.

    Args:
        values: Column of a data frame.
        form: Function from a value to its text.
    """
    return ["" if pd.isna(value) else form(value) for value in values.tolist()]


def csv_table(frame: pd.DataFrame) -> str:
    """Returns a table as CSV (RFC 4180): a header, CR LF line ends, empty fields for unknowns.

    Numbers are as in the frame, truth values are `true` and `false`, and no text is a formula.

    Args:
        frame: Table; its index is not written.
    """
    cells = {
        csv_text(name): column if _is_number(column) else format_series(column, csv_text)
        for name, column in frame.items()
    }
    text: str = pd.DataFrame(cells).to_csv(index=False, lineterminator="\r\n")
    return text


def markdown_table(texts: pd.DataFrame, left: Collection[str]) -> str:
    """Returns a table in GitHub's Markdown, without a line end after it.

    Args:
        texts: Table of texts; its index is not written.
        left: Heads of the columns that are aligned at the left; the others are at the right.
    """
    table: str = _escaped(texts, markdown_text).to_markdown(
        index=False,
        colalign=["left" if head in left else "right" for head in texts.columns],
        disable_numparse=True,
    )
    return table


def _escaped(texts: pd.DataFrame, escape: Callable[[str], str]) -> pd.DataFrame:
    """Returns a table with its heads and cells escaped, and its rows numbered from 0."""
    return texts.map(escape).rename(columns=escape).reset_index(drop=True)


def _is_number(column: pd.Series) -> bool:
    dtype = column.dtype
    return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)
