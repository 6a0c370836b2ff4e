"""Comparisons of cells, for Python and for `ltbench compare`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar, get_args

from ltbench.analysis.columns import frame_of
from ltbench.analysis.comparison import comparison_tables
from ltbench.analysis.comparison.compare_options import CompareOptions
from ltbench.analysis.comparison.comparison_rows import COMPARISON_COLUMNS, comparison_rows
from ltbench.analysis.comparison.config_diff import name_cells
from ltbench.analysis.comparison.pairs import (
    METRICS,
    MetricComparison,
    PairComparison,
    compare_pair,
    correct_pairs,
)
from ltbench.analysis.comparison.seed_predictions import check_same_images, read_seed_predictions
from ltbench.analysis.comparison.summary_text import comparison_notes
from ltbench.analysis.stats.level import expect_level
from ltbench.analysis.stats.multiplicity import Correction
from ltbench.errors import ConfigError, quoted, suggestion
from ltbench.io.tables import csv_table
from ltbench.storage.results import Cell, expect_comparable

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
ALL_METRICS = "all"
HEADLINE = METRICS[0]
"""Accuracy of the headline where all accuracies are compared."""


class Follow(Protocol):
    """Progress callback: yields the items of a loop, which has a title."""

    def __call__(self, items: Sequence[T], what: str, /) -> Iterable[T]:
        """Yields the items."""


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Comparison of two cells, as `ltbench compare` makes it.

    `sentence`, `difference`, `interval` and `p` are those of one accuracy: the one that was chosen,
    or overall accuracy where all were compared. `to_frame` has all of them.

    Args:
        pair: Accuracies, differences and tests, with corrected p values.
        metric: Name of the accuracy of `sentence`, `difference`, `interval` and `p`.
        options: Options of the comparison.
    """

    pair: PairComparison
    metric: str
    options: CompareOptions

    @classmethod
    def of(
        cls,
        first: Cell,
        second: Cell,
        *,
        metric: str = ALL_METRICS,
        correction: Correction = "holm",
        level: float = 0.95,
        rope: float | None = None,
        inference: str | None = None,
    ) -> Comparison:
        """Compares two cells; `compare_cells` describes arguments and errors."""
        (found,) = compare_cells(
            (first, second),
            metric=metric,
            correction=correction,
            level=level,
            rope=rope,
            inference=inference,
        )
        return found

    @property
    def first(self) -> str:
        """Name of the first cell."""
        return self.pair.first.name

    @property
    def second(self) -> str:
        """Name of the second cell."""
        return self.pair.second.name

    @property
    def sentence(self) -> str:
        """Conclusion about the accuracy `metric`."""
        return self.options.sentence(self.pair, self.metric)

    @property
    def sentences(self) -> list[str]:
        """Conclusions about all compared accuracies, and those of the Bayesian test, if any."""
        return self.options.sentences(self.pair)

    @property
    def notes(self) -> list[str]:
        """Notes on the validity and the limits of the comparison."""
        return list(comparison_notes(self.pair, self.options.level))

    @property
    def difference(self) -> float | None:
        """First accuracy minus second, in percent points; None for a group without classes."""
        return None if self._outcome is None else self._outcome.evidence.difference

    @property
    def interval(self) -> tuple[float, float] | None:
        """Bounds of the difference, in percent points; None for a group without classes."""
        found = self._outcome
        return None if found is None else (found.evidence.low, found.evidence.high)

    @property
    def p(self) -> float | None:
        """P value, corrected for all comparisons made together; None without classes."""
        return None if self._outcome is None else self._outcome.corrected_p

    def to_frame(self) -> pd.DataFrame:
        """Returns a row for each accuracy, with the columns of `ltbench compare --csv`."""
        return comparisons_frame([self])

    def to_csv(self) -> str:
        """Returns the data frame as CSV, as `ltbench compare --csv` writes it."""
        return comparisons_csv([self])

    def to_markdown(self) -> str:
        """Returns table, conclusions and notes in GitHub's Markdown."""
        return comparison_tables.to_markdown(self.pair, self.options)

    def to_latex(self) -> str:
        """Returns the table for LaTeX with booktabs."""
        return comparison_tables.to_latex([self.pair], self.options)

    def _repr_html_(self) -> str:
        """Returns table, conclusions and notes for a notebook."""
        return comparison_tables.to_html(self.pair, self.options)

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def __repr__(self) -> str:
        return f"<Comparison: {self.sentence}>"

    @property
    def _outcome(self) -> MetricComparison | None:
        return self.pair.outcomes[self.metric]


def compare_cells(
    cells: Sequence[Cell],
    *,
    metric: str = ALL_METRICS,
    all_pairs: bool = False,
    correction: Correction = "holm",
    level: float = 0.95,
    rope: float | None = None,
    inference: str | None = None,
    follow: Follow = lambda items, _: items,
) -> tuple[Comparison, ...]:
    """Compares cells on their common images and seeds, with p values corrected together.

    Args:
        cells: Two cells or more.
        metric: Name of the accuracy, one of `ltbench.metric_names.ACCURACIES`, or "all".
        all_pairs: Whether every pair is compared, instead of the first cell with each other one.
        correction: Correction of p values for all comparisons: "holm", "bh" or "none".
        level: Confidence level of intervals and tests, 0.5 to 0.9999.
        rope: Half width of the region of practical equivalence in percent points, for a Bayesian
            test; no such test where None.
        inference: Name of the inference whose predictions are compared, as stored by `ltbench
            eval`; that of each run where None.
        follow: Progress callback.

    Returns:
        Comparisons: of the first cell with each other one, or of all pairs.

    Raises:
        ConfigError: An argument is wrong; a run is a quick look; two cells have the same choices,
            different images or no common seed.
        DataError: Predictions are missing or broken.
    """
    _check_arguments(metric, correction, level, rope)
    if len(cells) < 2:
        raise ConfigError(f"compare: expected two cells or more, got {len(cells)}")
    expect_comparable(run for cell in cells for run in cell.runs)
    check_distinct(cells, [str(cell.runs[0].path) for cell in cells])
    named = list(zip(cells, name_cells(cells), strict=True))
    samples = [
        read_seed_predictions(cell, name, inference)
        for cell, name in follow(named, "reading predictions")
    ]
    chosen = (
        list(itertools.combinations(samples, 2))
        if all_pairs
        else [(samples[0], other) for other in samples[1:]]
    )
    for first, second in chosen:
        check_same_images(first, second)
    metrics = METRICS if metric == ALL_METRICS else (metric,)
    pairs = [
        compare_pair(first, second, metrics, level=level, rope=rope)
        for first, second in follow(chosen, "comparing")
    ]
    corrected, comparisons = correct_pairs(pairs, correction)
    options = CompareOptions(correction, comparisons, level, rope)
    headline = HEADLINE if metric == ALL_METRICS else metric
    return tuple(Comparison(pair, headline, options) for pair in corrected)


def check_distinct(cells: Sequence[Cell], places: Sequence[str]) -> None:
    """Checks that no two cells have the same choices.

    Args:
        cells: Cells to compare.
        places: Path of each cell, for the message.

    Raises:
        ConfigError: Two cells have the same choices.
    """
    first: dict[str, str] = {}
    for cell, place in zip(cells, places, strict=True):
        if cell.key in first:
            raise ConfigError(
                f"{first[cell.key]} and {place} have the same choices: runs that differ only in "
                "their seed are one cell",
                hint="give the folder above them, and a folder with other choices",
            )
        first[cell.key] = place


def comparisons_frame(comparisons: Iterable[Comparison]) -> pd.DataFrame:
    """Returns a row for each accuracy of each comparison, with the types of the columns.

    Numbers are not rounded. Unknown values are `pandas.NA`, and NaN in columns of floats.

    Args:
        comparisons: Comparisons, as from `compare_cells`.
    """
    rows = [row for each in comparisons for row in comparison_rows(each.pair, each.options)]
    return frame_of(rows, COMPARISON_COLUMNS, rounded=False)


def comparisons_csv(comparisons: Iterable[Comparison]) -> str:
    """Returns the data frame of comparisons as CSV (RFC 4180)."""
    return csv_table(comparisons_frame(comparisons))


def _check_arguments(metric: str, correction: str, level: float, rope: float | None) -> None:
    """Checks arguments of Python, which the command line has checked by their types.

    Raises:
        ConfigError: An argument is wrong.
    """
    for name, value, known in (
        ("metric", metric, (ALL_METRICS, *METRICS)),
        ("correction", correction, get_args(Correction)),
    ):
        if not isinstance(value, str) or value not in known:
            raise ConfigError(
                f"{name}: expected one of {', '.join(known)}, got {quoted(value)}",
                hint=suggestion(str(value), known),
            )
    expect_level(level)
    is_number = isinstance(rope, int | float) and not isinstance(rope, bool)
    if rope is not None and not (is_number and 0 < rope < math.inf):
        raise ConfigError(f"rope: expected more than 0 percent points, got {quoted(rope)}")
