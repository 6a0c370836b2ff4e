"""Columns of a leaderboard for readers: heads and texts of the columns of its files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from ltbench.analysis.comparison.summary_text import format_p
from ltbench.analysis.leaderboard.diagnosis_columns import DIAGNOSIS_COLUMNS
from ltbench.analysis.leaderboard.rows import COLUMNS
from ltbench.analysis.leaderboard.significance import CLAIM_METHODS
from ltbench.errors import ConfigError, quoted, suggestion
from ltbench.io.tables import format_series
from ltbench.metric_names import ACCURACIES

Spread = Literal["std", "interval", "none"]
"""What follows each accuracy: its deviation over seeds, its interval, or nothing."""
DEFAULT_COLUMNS = (
    "rank",
    "method",
    "backbone",
    "seeds",
    "accuracy",
    "mean_class",
    "many",
    "medium",
    "few",
    "ece",
    "learned_percent",
    "train_seconds",
    "p_value_vs_best",
    "claim",
)
"""Columns of tables on the terminal and in Markdown, if they say something."""
PAPER_COLUMNS = ("method", "backbone", "seeds", "accuracy", "mean_class", "many", "medium", "few")
"""Columns of tables for LaTeX, if they say something."""
_CI = "ranked_ci"  # a column for readers alone: both bounds of the accuracy of the ranking
_MIN_VISIBLE_POINTS = 0.05  # percent points; smaller differences vanish in one decimal
_DECIMALS = {"learned_percent": 2, "few_excess": 3, "few_intra_class": 3, "class_similarity": 3}
_DTYPES = {column.name: column.metadata["dtype"] for column in (*COLUMNS, *DIAGNOSIS_COLUMNS)}
_HEADS = {
    **{name: head.removesuffix("-shot") for name, head in ACCURACIES.items()},
    _CI: "interval",
    "ece": "ECE",
    "learned_percent": "learned %",
    "train_seconds": "train s",
}
_DROP_ORDER = (
    "ece",
    "train_seconds",
    "learned_percent",
    "seeds",
    "mean_class",
    _CI,
    "backbone",
    "p_value_vs_best",
    "claim",
)
"""Columns in the order in which they are left out on a narrow terminal."""


@dataclass(frozen=True)
class DisplayColumn:
    """Column of a table for readers.

    Args:
        name: Name of the column in the files.
        head: Title.
        texts: (R,) texts; "" where a value is unknown.
        spreads: (R,) deviations or intervals that follow the texts; "" where unknown.
        is_text: Whether the column has texts; the others have numbers.
        drop: 0 for a column that is always shown; others are left out of a narrow table, 1 first.
    """

    name: str
    head: str
    texts: tuple[str, ...]
    spreads: tuple[str, ...]
    is_text: bool
    drop: int


def read_columns(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Returns names of columns that someone chose; None where nothing was chosen.

    Raises:
        ConfigError: A leaderboard has no such column, or none is named.
    """
    if names is None:
        return None
    is_list = not isinstance(names, str) and all(isinstance(name, str) for name in names)
    if not is_list or not names or not all(names):
        raise ConfigError("columns: expected names, as in method,accuracy,few")
    for name in names:
        if name not in _DTYPES:
            raise ConfigError(
                f"columns: a leaderboard has no column {quoted(name)}",
                hint=suggestion(name, _DTYPES),
            )
    return tuple(dict.fromkeys(names))


def read_spread(spread: str | None) -> Spread | None:
    """Returns what follows each accuracy, after checking it.

    Raises:
        ConfigError: It is none of `Spread`.
    """
    known: tuple[Spread, ...] = get_args(Spread)
    if spread is not None and spread not in known:
        raise ConfigError(f"spread: expected one of {', '.join(known)}, got {quoted(spread)}")
    return next((each for each in known if each == spread), None)


def supports_usual_claim(claims: pd.Series) -> bool:
    """Returns whether all rows support the usual claim, so that their column says nothing."""
    return bool((claims.isna() | (claims == CLAIM_METHODS)).all())


def p_column_head(metric: str) -> str:
    """Returns the head of the column of p values."""
    return "p vs best" if metric == "accuracy" else f"p vs best ({metric})"


def display_columns(
    frame: pd.DataFrame,
    names: Sequence[str],
    chosen: Sequence[str],
    *,
    metric: str,
    spread: Spread | None,
    every: bool,
) -> list[DisplayColumn]:
    """Returns columns for readers.

    Args:
        frame: Rows of a leaderboard, not rounded.
        names: Name of each row.
        chosen: Names of the columns.
        metric: Name of the accuracy that the rows are ranked by.
        spread: Numbers after each accuracy; None for the deviation of overall accuracy and of the
            accuracy that the rows are ranked by, which is followed by its interval.
        every: Whether columns that say nothing are kept.
    """
    dropped = [name for name in _DROP_ORDER if name != metric]
    found = []
    for name in chosen if every or spread else _with_interval(chosen, metric):
        texts = list(names) if name == "method" else _texts(frame, name, metric)
        if (
            not every
            and name != "method"
            and not (any(texts) and _says_something(frame, name, metric))
        ):
            continue
        shown = spread if spread or name not in ("accuracy", metric) else "std"
        found.append(
            DisplayColumn(
                name=name,
                head=_head(name, metric),
                texts=tuple(texts),
                spreads=tuple(_spreads(frame, name, shown, texts)),
                is_text=_DTYPES.get(name) == "string",
                drop=0 if every or name not in dropped else dropped.index(name) + 1,
            )
        )
    return found


def _head(name: str, metric: str) -> str:
    return (
        p_column_head(metric)
        if name == "p_value_vs_best"
        else _HEADS.get(name, name.replace("_", " "))
    )


def _with_interval(chosen: Sequence[str], metric: str) -> list[str]:
    """Returns names of columns with that of the interval behind the accuracy of the ranking."""
    place = list(chosen).index(metric) + 1
    return [*chosen[:place], _CI, *chosen[place:]]


def _texts(frame: pd.DataFrame, name: str, metric: str) -> list[str]:
    if name == _CI:
        return _intervals(frame, metric, "{} to {}")
    form: Callable[..., str]
    if name == "p_value_vs_best":
        form = format_p
    elif _DTYPES[name] == "float64":
        decimals = _DECIMALS.get(name, 1)
        form = f"{{:.{decimals}f}}".format if name in ACCURACIES else f"{{:,.{decimals}f}}".format
    else:
        forms: Mapping[str, Callable[..., str]] = {"Int64": "{:,}".format, "boolean": _yes_or_no}
        form = forms.get(_DTYPES[name], str)
    return format_series(frame[name], form)


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


def _says_something(frame: pd.DataFrame, name: str, metric: str) -> bool:
    """Returns whether a column says more than the others."""
    if name == "backbone":
        return bool(frame["backbone"].nunique(dropna=False) > 1)
    if name == "mean_class" and metric != "mean_class":
        differs = (frame["mean_class"] - frame["accuracy"]).abs() >= _MIN_VISIBLE_POINTS
        return bool(differs.any())
    return name != "claim" or not supports_usual_claim(frame["claim"])


def _spreads(
    frame: pd.DataFrame, name: str, spread: Spread | None, texts: Collection[str]
) -> list[str]:
    """Returns what follows the texts of a column of accuracies; "" for other columns."""
    if name not in ACCURACIES or spread in (None, "none"):
        return [""] * len(texts)
    if spread == "interval":
        return _intervals(frame, name, " [{}, {}]")
    return [
        f" ± {text}" if text else ""
        for text in format_series(frame[f"{name}_std"], "{:.1f}".format)
    ]


def _intervals(frame: pd.DataFrame, name: str, form: str) -> list[str]:
    bounds = [
        format_series(frame[f"{name}_ci_{bound}"], "{:.1f}".format) for bound in ("low", "high")
    ]
    return [form.format(*both) if all(both) else "" for both in zip(*bounds, strict=True)]
