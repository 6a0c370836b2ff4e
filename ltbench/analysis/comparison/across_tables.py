"""Tables and sentences of a comparison across data sets: CSV, Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from ltbench.analysis.columns import column_field, frame_of
from ltbench.analysis.comparison.across_datasets import AcrossDatasets
from ltbench.analysis.comparison.summary_text import describe_correction, format_p
from ltbench.analysis.stats.multiplicity import Correction
from ltbench.io.latex import LatexTable, latex_tables
from ltbench.io.tables import markdown_table
from ltbench.io.text import markdown_text
from ltbench.metric_names import ACCURACIES


@dataclass(frozen=True, kw_only=True)
class AcrossRow:
    """Two methods compared across data sets, in one accuracy. None means that it was not tested."""

    metric: str = column_field(
        "string", "accuracy: 'accuracy' (overall), 'mean_class', 'many', 'medium' or 'few'"
    )
    first: str = column_field("string", "name of the first method, of the lower average rank")
    second: str = column_field("string", "name of the second method")
    datasets: int = column_field("Int64", "number of data sets, each of which is one observation")
    methods: int = column_field("Int64", "number of methods that are ranked")
    first_rank: float = column_field("float64", "average rank of the first method; 1 is the best")
    second_rank: float = column_field("float64", "average rank of the second method")
    critical_difference: float = column_field(
        "float64", "difference of average ranks that is significant in Nemenyi's test"
    )
    nemenyi_p_value: float = column_field("float64", "p value of Nemenyi's test, for all pairs")
    wilcoxon_p_value_corrected: float = column_field(
        "float64", "p value of Wilcoxon's signed-rank test, corrected"
    )
    correction: str = column_field("string", "correction of Wilcoxon's tests: 'holm', 'bh', 'none'")
    level: float = column_field("float64", "confidence level, 0 to 1")
    friedman_p_value: float | None = column_field(
        "float64", "p value of Friedman's test of all methods; with three methods or more"
    )
    first_better: float | None = column_field(
        "float64", "probability that the first is better by more than `--rope`"
    )
    equivalent: float | None = column_field(
        "float64", "probability that they differ by `--rope` or less"
    )
    second_better: float | None = column_field(
        "float64", "probability that the second is better by more than `--rope`"
    )


ACROSS_COLUMNS = tuple(fields(AcrossRow))
"""Columns in the order of the files; their `metadata` has `dtype` (pandas) and `help`."""


def across_frame(
    found: Iterable[AcrossDatasets], correction: Correction, level: float
) -> pd.DataFrame:
    """Returns a row for each accuracy and pair of methods, with the types of the columns.

    Args:
        found: Comparisons, one for each accuracy.
        correction: Correction of the p values of Wilcoxon's tests.
        level: Confidence level, 0 to 1.
    """
    rows = [row for each in found for row in _rows(each, correction, level)]
    return frame_of(rows, ACROSS_COLUMNS, rounded=False)


def score_table(found: AcrossDatasets) -> pd.DataFrame:
    """Returns accuracies as texts: a row for each data set, and one of average ranks.

    The first column has the names of the data sets; the best method is the second.
    """
    order = np.argsort(found.ranks.ranks, kind="stable").tolist()
    head = f"{ACCURACIES[found.metric]} accuracy, %"
    columns: dict[str, list[str]] = {head: [*found.datasets, "average rank"]}
    for place in order:
        scores = [f"{score:.1f}" for score in found.scores[:, place]]
        columns[found.methods[place]] = [*scores, f"{found.ranks.ranks[place]:.2f}"]
    return pd.DataFrame(columns)


def across_sentences(found: AcrossDatasets, correction: Correction, level: float) -> Iterator[str]:
    """Yields the results of the tests as lines of text; those of one test are indented.

    Args:
        found: Comparison.
        correction: Correction of the p values of Wilcoxon's tests.
        level: Confidence level, 0 to 1.
    """
    methods = found.methods
    if found.friedman is not None:
        yield (
            f"Friedman: chi-squared {found.friedman.statistic:.2f}, "
            f"p {format_p(found.friedman.p)}; Iman and Davenport: p {format_p(found.friedman.f_p)}"
        )
    yield (
        f"Nemenyi: average ranks that differ by {found.ranks.difference:.2f} or more differ "
        f"significantly ({100 * level:g} %)"
    )
    for group in found.ranks.groups:
        yield f"  not distinguished: {', '.join(methods[i] for i in group)}"
    pairs = _ordered_pairs(found)
    yield f"Wilcoxon ({describe_correction(correction, len(pairs))}):"
    for i, j in pairs:
        yield f"  {methods[i]} and {methods[j]}: p {format_p(found.signed_rank_p[i, j])}"
    for i, j in pairs if found.posteriors else ():
        first, equivalent, second = _shares(found, i, j)
        yield (
            f"  {methods[i]} better {first:.2f}, equivalent {equivalent:.2f}, {methods[j]} better "
            f"{second:.2f} (Bayesian signed-rank)"
        )


def across_notes(found: AcrossDatasets, level: float) -> Iterator[str]:
    """Yields notes on the limits of a comparison."""
    if found.min_signed_rank_p >= 1 - level:
        yield (
            f"{len(found.datasets)} data sets are too few for that number of Wilcoxon tests: the "
            f"smallest possible p value is {found.min_signed_rank_p:.4g}"
        )
    if found.left_out:
        left_out = "; ".join(found.left_out)
        yield f"left out, because a method has no run on it: {left_out}"


def to_markdown(found: Sequence[AcrossDatasets], correction: Correction, level: float) -> str:
    """Returns the tables, results and notes of comparisons in GitHub's Markdown."""
    return "\n".join(_markdown_section(each, correction, level) for each in found)


def to_latex(found: Sequence[AcrossDatasets], correction: Correction, level: float) -> str:
    """Returns the tables of comparisons for LaTeX: booktabs, with notes below (threeparttable)."""
    return latex_tables([_latex_table(each, correction, level) for each in found])


def _markdown_section(found: AcrossDatasets, correction: Correction, level: float) -> str:
    table = score_table(found)
    notes = (f"Note: {note}" for note in across_notes(found, level))
    said = [text.strip() for text in (*across_sentences(found, correction, level), *notes)]
    lines = [
        f"### {markdown_text(_title(found))}",
        "",
        markdown_table(table, table.columns[:1]),
        "",
        *(f"{markdown_text(text)}  " for text in said),
    ]
    return "\n".join([*lines, ""])


def _latex_table(found: AcrossDatasets, correction: Correction, level: float) -> LatexTable:
    table = score_table(found)
    bold = [
        (row, found.methods[place])
        for row, scores in enumerate([*found.scores, -found.ranks.ranks])
        for place in np.flatnonzero(scores == scores.max()).tolist()
    ]
    leader = int(np.argmin(found.ranks.ranks))
    tied = {place for group in found.ranks.groups if leader in group for place in group}
    underlined = [(len(found.datasets), found.methods[place]) for place in tied - {leader}]
    tie = ["Underlined: a statistical tie with the best average rank (Nemenyi)."]
    said: list[str] = []
    for text in across_sentences(found, correction, level):
        if text.startswith(" "):  # belongs to the line above
            said[-1] += f"{'' if said[-1].endswith(':') else ';'} {text.strip()}"
        else:
            said.append(text)
    title = _title(found)
    return LatexTable(
        texts=table.rename(columns={table.columns[0]: "data set"}),
        left=["data set"],
        caption=f"{title[0].upper()}{title[1:]}, in %.",
        label=f"{found.metric} across datasets",
        notes=[
            *(f"{text}." for text in (*said, *across_notes(found, level))),
            "Bold: the highest accuracy of a data set, and the best average rank.",
            *(tie if underlined else []),
        ],
        bold=bold,
        underlined=underlined,
    )


def across_verdict(found: AcrossDatasets) -> str:
    """Returns the answer of a comparison as a sentence without a full stop."""
    ranks, methods = found.ranks.ranks, found.methods
    leader = int(np.argmin(ranks))
    tied = {place for group in found.ranks.groups if leader in group for place in group} - {leader}
    others = [methods[place] for place in np.argsort(ranks, kind="stable") if place in tied]
    best = (
        f"{methods[leader]} has the best average rank in {ACCURACIES[found.metric]} accuracy, "
        f"{ranks[leader]:.2f} of {len(methods)}, over {len(found.datasets)} data sets"
    )
    if not others:
        return f"{best}; every other method is significantly worse (Nemenyi)"
    return f"{best}; tie with {', '.join(others)} (Nemenyi)"


def _title(found: AcrossDatasets) -> str:
    return f"{ACCURACIES[found.metric]} accuracy across {len(found.datasets)} data sets"


def _rows(found: AcrossDatasets, correction: Correction, level: float) -> Iterator[AcrossRow]:
    for i, j in _ordered_pairs(found):
        names = ("first_better", "equivalent", "second_better")
        shares: dict[str, Any] = (
            dict(zip(names, _shares(found, i, j), strict=True)) if found.posteriors else {}
        )
        yield AcrossRow(
            metric=found.metric,
            first=found.methods[i],
            second=found.methods[j],
            datasets=len(found.datasets),
            methods=len(found.methods),
            first_rank=float(found.ranks.ranks[i]),
            second_rank=float(found.ranks.ranks[j]),
            critical_difference=found.ranks.difference,
            nemenyi_p_value=float(found.ranks.p[i, j]),
            wilcoxon_p_value_corrected=float(found.signed_rank_p[i, j]),
            correction=correction,
            level=level,
            friedman_p_value=None if found.friedman is None else found.friedman.p,
            **shares,
        )


def _ordered_pairs(found: AcrossDatasets) -> list[tuple[int, int]]:
    """Returns all pairs of methods by their positions, the better by average rank first."""
    order = np.argsort(found.ranks.ranks, kind="stable").tolist()
    return [(i, j) for at, i in enumerate(order) for j in order[at + 1 :]]


def _shares(found: AcrossDatasets, first: int, second: int) -> tuple[float, float, float]:
    """Returns the probabilities that the first is better, that both are equivalent, and so on."""
    posterior = found.posteriors[min(first, second), max(first, second)]
    shares = (posterior.first, posterior.equivalent, posterior.second)
    return shares if first < second else shares[::-1]
