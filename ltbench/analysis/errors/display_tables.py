"""Tables of an error analysis for a terminal, a notebook and a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ltbench.analysis.errors.group_errors import OVERALL
from ltbench.analysis.metrics import SHOT_GROUPS
from ltbench.metric_names import ACCURACIES

if TYPE_CHECKING:
    import pandas as pd


class AnalysedErrors(Protocol):
    """Data frames of an analysis: those of `ErrorAnalysis`."""

    @property
    def seeds(self) -> int:
        """Number of seeds."""

    @property
    def rare_group(self) -> str:
        """Shot group of the confusions."""

    @property
    def groups(self) -> pd.DataFrame:
        """A row for each shot group."""

    @property
    def classes(self) -> pd.DataFrame:
        """A row for each class."""

    @property
    def confusions(self) -> pd.DataFrame:
        """A row for each pair of classes."""


@dataclass(frozen=True)
class ErrorEstimate:
    """Percentage with its 95 % interval.

    Args:
        value: Percentage.
        low: Lower bound.
        high: Upper bound.
    """

    value: float
    low: float
    high: float


ErrorValue = str | float | ErrorEstimate | None
"""Value of a cell; None is unknown."""


@dataclass(frozen=True)
class ErrorColumn:
    """Column of a table.

    Args:
        title: Head of the column.
        help: Explanation of the values.
        decimals: Number of decimals; None for a column of text.
    """

    title: str
    help: str = ""
    decimals: int | None = None


@dataclass(frozen=True)
class ErrorTable:
    """Table that is shown.

    Args:
        name: Name in snake_case.
        caption: Description in a sentence, with the number of rows that are left out.
        columns: (C,) columns.
        rows: Rows of C values each.
    """

    name: str
    caption: str
    columns: tuple[ErrorColumn, ...]
    rows: tuple[tuple[ErrorValue, ...], ...]

    def texts(self) -> list[list[str]]:
        """Returns the cells as texts; a dash where a value is unknown."""
        return [
            [_text(value, column) for value, column in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]


_GROUP = ErrorColumn("shot group")
_ACCURACY = ErrorColumn("% (95 % interval)", "accuracy in percent, over test images", 1)


def display_tables(analysis: AnalysedErrors, max_rows: int) -> list[ErrorTable]:
    """Returns the tables of an analysis: shot groups, worst classes, confusions, calibration.

    Args:
        analysis: Analysis of one or more seeds.
        max_rows: Largest number of classes and of confusions that are shown.
    """
    tables = [
        accuracy_table(analysis.groups),
        direction_table(analysis.groups),
        _worst_table(analysis, max_rows),
        _confusion_table(analysis, max_rows),
        calibration_table(analysis.groups),
    ]
    return [table for table in tables if table.rows]


def accuracy_table(groups: pd.DataFrame) -> ErrorTable:
    """Returns accuracies by shot group, beside those on the training images where these are known.

    Args:
        groups: Rows of `group_frame`.
    """
    trained = bool(groups["train_accuracy"].notna().any())
    columns = [
        _GROUP,
        ErrorColumn("classes", "classes with test images", 0),
        ErrorColumn("images", "test images", 0),
        _ACCURACY,
    ]
    keys = ["classes", "test_images"]
    more = ["train_accuracy", "gap"] if trained else []
    if trained:
        columns += [
            ErrorColumn("train %", "accuracy on the training images", 1),
            ErrorColumn("gap", "training accuracy minus accuracy: overfitting", 1),
        ]
    rows = [
        (_group(row), *_values(row, keys), _estimate(row), *_values(row, more))
        for row in _present(groups)
    ]
    return ErrorTable("accuracy", "Accuracy by shot group.", tuple(columns), tuple(rows))


def direction_table(groups: pd.DataFrame) -> ErrorTable:
    """Returns the shot groups that wrong predictions go to.

    Args:
        groups: Rows of `group_frame`.
    """
    shares = [f"to_{name}" for name in SHOT_GROUPS]
    columns = (
        _GROUP,
        ErrorColumn("wrong", "wrong predictions", 0),
        *(
            ErrorColumn(f"to {name} %", f"part of these that is a {ACCURACIES[name]} class", 0)
            for name in SHOT_GROUPS
        ),
    )
    rows = [(_group(row), *_values(row, ["wrong", *shares])) for row in _present(groups)]
    caption = "Wrong predictions, and the shot group of the class that is predicted instead."
    return ErrorTable("directions", caption, columns, tuple(rows))


def calibration_table(groups: pd.DataFrame) -> ErrorTable:
    """Returns confidence and calibration errors by shot group.

    Args:
        groups: Rows of `group_frame`.
    """
    columns = (
        _GROUP,
        ErrorColumn("images", "test images", 0),
        ErrorColumn("confidence", "mean confidence in percent", 1),
        ErrorColumn("above accuracy", "confidence minus percentage of correct images", 1),
        ErrorColumn("ECE", "expected calibration error, 15 bins", 1),
        ErrorColumn("by chance", "ECE of a calibrated model with as many images", 1),
    )
    keys = ["test_images", "confidence", "overconfidence", "ece", "ece_by_chance"]
    rows = [(_group(row), *_values(row, keys)) for row in _present(groups)]
    caption = "Calibration by shot group, in percent: confidence against correct images."
    return ErrorTable("calibration", caption, columns, tuple(rows))


def _worst_table(analysis: AnalysedErrors, max_rows: int) -> ErrorTable:
    failing = analysis.classes[analysis.classes["taken"] > 0]
    shown = failing.head(max_rows)
    columns = (
        ErrorColumn("class"),
        ErrorColumn("group", "shot group"),
        ErrorColumn("train", "training images", 0),
        ErrorColumn("right", "correct predictions of all predictions for the class"),
        ErrorColumn("% (95 % interval)", "accuracy in percent, over test images", 0),
        ErrorColumn("taken by", "class that takes most of its images, and its shot group"),
        ErrorColumn("times", "predictions of that class", 0),
    )
    rows = [
        (
            str(row["class_name"]),
            str(row["shot_group"]),
            *_values(row, ["train_images"]),
            f"{row['correct']:,} of {analysis.seeds * int(row['test_images']):,}",
            _estimate(row),
            f"{row['taken_by_name']} ({row['taken_by_group']})",
            *_values(row, ["taken"]),
        )
        for row in shown.to_dict("records")
    ]
    tested = int((analysis.classes["test_images"] > 0).sum())
    caption = f"Worst classes: {_part(len(shown), len(failing), 'with mistakes')}"
    perfect = tested - len(failing)
    if perfect:
        caption += f"; {perfect:,} {'has' if perfect == 1 else 'have'} no mistake"
    return ErrorTable("worst_classes", f"{caption}.", columns, tuple(rows))


def _confusion_table(analysis: AnalysedErrors, max_rows: int) -> ErrorTable:
    rare = analysis.rare_group
    found = analysis.confusions[analysis.confusions["label_group"] == rare]
    shown = found.head(max_rows)
    columns = (
        ErrorColumn(f"{ACCURACIES[rare]} class"),
        ErrorColumn("taken by", "class that is predicted instead, and its shot group"),
        ErrorColumn("times", "predictions of that class", 0),
        ErrorColumn("% of class", "percentage of all predictions for the true class", 0),
    )
    rows = [
        (
            str(row["label_name"]),
            f"{row['predicted_name']} ({row['predicted_group']})",
            *_values(row, ["count", "share"]),
        )
        for row in shown.to_dict("records")
    ]
    caption = (
        f"Classes that take {ACCURACIES[rare]} images: "
        f"{_part(len(shown), len(found), 'pairs of classes', 'pair of classes')}."
    )
    return ErrorTable("confusions", caption, columns, tuple(rows))


def _present(groups: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yields the rows of groups that have test images."""
    yield from groups[groups["test_images"] > 0].to_dict("records")


def _values(row: dict[str, Any], keys: Sequence[str]) -> list[float | None]:
    """Returns numbers of a row; None where unknown, which is the only value unlike itself."""
    import pandas as pd

    return [None if pd.isna(row[key]) else float(row[key]) for key in keys]


def _estimate(row: dict[str, Any]) -> ErrorEstimate:
    return ErrorEstimate(float(row["accuracy"]), float(row["low"]), float(row["high"]))


def _text(value: ErrorValue, column: ErrorColumn) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, ErrorEstimate):
        bounds = f"{_number(value.low, column)} to {_number(value.high, column)}"
        return f"{_number(value.value, column)} ({bounds})"
    return _number(value, column)


def _number(value: float, column: ErrorColumn) -> str:
    return f"{value:z,.{column.decimals or 0}f}"


def _group(row: dict[str, Any]) -> str:
    name = str(row["shot_group"])
    return name if name == OVERALL else ACCURACIES[name]


def _part(shown: int, among: int, what: str, one: str | None = None) -> str:
    """Returns a phrase such as '10 of 40 pairs', 'all 4 pairs' or '1 pair'."""
    if among == 1:
        return f"1 {one or what}"
    return f"{shown:,} of {among:,} {what}" if shown < among else f"all {among:,} {what}"
