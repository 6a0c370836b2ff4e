"""Section of a report about all methods over all data sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ltbench.analysis.comparison.across_datasets import AcrossDatasets, ScoreTable, compare_across
from ltbench.analysis.comparison.summary_text import format_p
from ltbench.errors import ConfigError
from ltbench.metric_names import ACCURACIES
from ltbench.report.figures.critical_difference import draw_critical_difference
from ltbench.report.page.content import Column, Section, Table
from ltbench.report.page.figure_set import FigureSet
from ltbench.storage.results import Cell


def across_datasets_section(
    cells: Sequence[Cell], metric: str, level: float, figures: FigureSet
) -> Section:
    """Returns the section of average ranks, or of the reason why methods cannot be compared."""
    name, head = "across-data-sets", "Across data sets"
    try:
        found = compare_across(ScoreTable.from_cells(cells), metric, level=level)
    except ConfigError as error:
        return Section(name, head, paragraphs=[f"No comparison: {error.message}."])
    paragraphs = [
        f"Average ranks by {ACCURACIES[metric]} accuracy over {len(found.datasets)} data sets; "
        "each data set is one observation, the mean over seeds."
    ]
    if found.friedman is not None:
        paragraphs.append(
            f"Friedman: chi-squared {found.friedman.statistic:.2f}, "
            f"p {format_p(found.friedman.p)}; Iman and Davenport: p {format_p(found.friedman.f_p)}."
        )
    if found.left_out:
        paragraphs.append(f"Left out, because a method lacks it: {'; '.join(found.left_out)}.")
    picture = figures.add(
        "critical_difference",
        draw_critical_difference(
            found.methods, found.ranks.ranks, found.ranks.difference, found.ranks.groups
        ),
        "Critical-difference diagram: average ranks, the best at the right. Bars join methods "
        "that do not differ significantly in Nemenyi's test: their ranks are closer than "
        f"{found.ranks.difference:.2f} ({100 * level:g} %).",
        ", ".join(
            f"{method} {rank:.2f}"
            for method, rank in zip(found.methods, found.ranks.ranks, strict=True)
        ),
    )
    return Section(
        name, head, paragraphs, blocks=[picture, _score_table(found, metric), _pair_table(found)]
    )


def _score_table(found: AcrossDatasets, metric: str) -> Table:
    order = np.argsort(found.ranks.ranks, kind="stable")
    columns = [
        Column("method"),
        Column("average rank", decimals=2),
        *(Column(dataset, decimals=1) for dataset in found.datasets),
    ]
    rows = [
        (found.methods[i], float(found.ranks.ranks[i]), *map(float, found.scores[:, i]))
        for i in order
    ]
    caption = f"{ACCURACIES[metric].capitalize()} accuracy in percent on each data set."
    return Table("ranks", caption, columns, rows)


def _pair_table(found: AcrossDatasets) -> Table:
    n = len(found.methods)
    rows = [
        (
            f"{found.methods[i]} and {found.methods[j]}",
            float(found.signed_rank_p[i, j]),
            float(found.ranks.p[i, j]),
        )
        for i in range(n)
        for j in range(i + 1, n)
    ]
    caption = (
        f"p values of each pair. The smallest possible one of Wilcoxon's test on "
        f"{len(found.datasets)} data sets is {found.min_signed_rank_p:.4g}."
    )
    columns = [
        Column("methods"),
        Column("Wilcoxon, Holm", decimals=3),
        Column("Nemenyi", decimals=3),
    ]
    return Table("pairs", caption, columns, rows, folded=True)
