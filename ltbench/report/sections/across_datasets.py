"""First section of a report about several rankings: all methods over all data sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ltbench.analysis.comparison.across_datasets import AcrossDatasets, ScoreTable, compare_across
from ltbench.analysis.comparison.short_labels import ShortLabels, short_labels
from ltbench.analysis.comparison.summary_text import format_p
from ltbench.analysis.leaderboard.ranking import Ranking, name_settings
from ltbench.analysis.leaderboard.rows import ranking_rows
from ltbench.analysis.metrics import SHOT_GROUPS
from ltbench.errors import ConfigError
from ltbench.metric_names import ACCURACIES
from ltbench.report.figures.critical_difference import draw_critical_difference
from ltbench.report.figures.score_grid import draw_score_grid
from ltbench.report.page.content import (
    Beside,
    CellValue,
    Column,
    Notes,
    Picture,
    Section,
    ShortName,
    Shown,
    Table,
    WithInterval,
)
from ltbench.report.page.figure_set import FigureSet
from ltbench.report.sections.answer import number_not_separated, places, several_answer
from ltbench.storage.results import Cell

_NAME = "across-data-sets"


def across_datasets_section(
    rankings: Sequence[Ranking], cells: Sequence[Cell], level: float, figures: FigureSet
) -> Section:
    """Returns the section of average ranks, or of the best method in each ranking.

    Args:
        rankings: Two rankings or more, by the same accuracy.
        cells: Cells of all rankings.
        level: Confidence level, 0 to 1.
        figures: Collection that the figure is added to.
    """
    metric = rankings[0].metric
    try:
        grid = _score_grid(rankings, cells)
        found = compare_across(grid, metric, level=level)
    except ConfigError as error:
        reason = Notes("Notes", [f"No comparison over data sets: {error.message}."])
        return Section(
            _NAME,
            "Across data sets",
            blocks=[_first_places(rankings), reason],
            answer=several_answer(rankings, None),
        )
    labels = short_labels(found.methods)
    picture = figures.add(
        "critical_difference",
        draw_critical_difference(
            found.methods,
            found.ranks.ranks,
            found.ranks.difference,
            found.ranks.groups,
            looks=figures.looks,
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
        _NAME,
        "Across data sets",
        blocks=[
            Beside(_score_table(found, grid, metric, labels), picture),
            *_grid_figures(found, grid, metric, figures),
            Notes("Notes", list(_notes(found))),
            _pair_table(found, labels),
        ],
        answer=several_answer(rankings, found),
    )


def _grid_figures(
    found: AcrossDatasets, grid: ScoreTable, metric: str, figures: FigureSet
) -> Iterator[Picture]:
    """Yields grids of methods and data sets, by the compared and by few-shot accuracy."""
    order = np.argsort(found.ranks.ranks, kind="stable")
    names = [found.methods[i] for i in order]
    for name in dict.fromkeys((metric, "few")):
        known = grid.scores(name)
        if not all(dataset in known for dataset in found.datasets):
            continue
        scores = np.stack([known[dataset] for dataset in found.datasets], axis=1)[order]
        yield figures.add(
            f"data_sets_{name}",
            draw_score_grid(
                names,
                found.datasets,
                scores,
                average_ranks=found.ranks.ranks[order] if name == metric else None,
                looks=figures.looks,
            ),
            f"{ACCURACIES[name].capitalize()} accuracy on each data set, in percent; methods in "
            f"the order of their average rank by {ACCURACIES[metric]} accuracy.",
            "; ".join(
                f"{one}: "
                + ", ".join(f"{d} {v:.1f}" for d, v in zip(found.datasets, row, strict=True))
                for one, row in zip(names, scores, strict=True)
            )
            + ".",
        )


def _score_grid(rankings: Sequence[Ranking], cells: Sequence[Cell]) -> ScoreTable:
    """Returns the cells by method and data set.

    A method is a choice of components, because recipes choose options for each data set. If a data
    set has several cells of such a method, a method is a choice of components and settings.
    """
    try:
        return ScoreTable.from_cells(cells)
    except ConfigError:
        chosen = [
            [
                {key: v for key, v in entry.settings.items() if key.partition(".")[0] != "dataset"}
                for entry in ranking.entries
            ]
            for ranking in rankings
        ]
        names = name_settings([one for each in chosen for one in each])
        methods = tuple(dict.fromkeys(names))
        rows: dict[str, list[Cell | None]] = {}
        rest = iter(names)
        for place, ranking in zip(places(rankings), rankings, strict=True):
            of_name = {next(rest): entry.cell for entry in ranking.entries}
            if len(of_name) < len(ranking.entries):  # they differ in versions and identities alone
                raise
            rows[place] = [of_name.get(method) for method in methods]
        return ScoreTable(methods, rows)


def _notes(found: AcrossDatasets) -> Iterator[str]:
    yield "Each data set is one observation: the mean over the seeds of a method."
    if found.friedman is not None:
        yield (
            f"Friedman: chi-squared {found.friedman.statistic:.2f}, "
            f"p {format_p(found.friedman.p)}; Iman and Davenport: p {format_p(found.friedman.f_p)}."
        )
    if found.left_out:
        yield f"Left out, because a method lacks it: {'; '.join(found.left_out)}."


def _score_table(
    found: AcrossDatasets, grid: ScoreTable, metric: str, labels: ShortLabels
) -> Table:
    """Returns the methods by average rank: mean accuracies, then the accuracy on each data set."""
    others = [name for name in ("accuracy", *SHOT_GROUPS) if name != metric]
    means = {metric: found.scores.mean(axis=0)}
    for name in others:
        scores = grid.scores(name)
        if all(dataset in scores for dataset in found.datasets):
            means[name] = np.mean([scores[dataset] for dataset in found.datasets], axis=0)
    columns = [
        Column("rank", "average rank over the data sets; 1 is the best on a data set", decimals=2),
        Column("method"),
        *(_mean_column(name, metric, len(found.datasets)) for name in means),
        *(Column(dataset, decimals=1, shown="wide") for dataset in found.datasets),
    ]
    order = np.argsort(found.ranks.ranks, kind="stable")
    rows: list[list[CellValue]] = [
        [
            float(found.ranks.ranks[i]),
            ShortName(labels.texts[found.methods[i]], found.methods[i]),
            *(float(each[i]) for each in means.values()),
            *map(float, found.scores[:, i]),
        ]
        for i in order
    ]
    caption = (
        f"In percent, by average rank. {ACCURACIES[metric].capitalize()} and the shot groups are "
        f"means over {len(found.datasets)} data sets; then {ACCURACIES[metric]} accuracy on each."
    )
    leading = number_not_separated(found)
    return Table("ranks", caption, columns, rows, name_column=1, leading=leading, key=labels.key())


def _mean_column(name: str, metric: str, datasets: int) -> Column:
    shown: Shown = "always" if name in (metric, "few") else "wide"
    title = ACCURACIES[name].removesuffix("-shot")
    return Column(
        title, f"{ACCURACIES[name]} accuracy, mean over {datasets} data sets", 1, False, shown
    )


def _pair_table(found: AcrossDatasets, labels: ShortLabels) -> Table:
    n = len(found.methods)
    names = [labels.texts[method] for method in found.methods]
    rows = [
        (
            f"{names[i]} and {names[j]}",
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
    return Table("pairs", caption, columns, rows, folded=True, key=labels.key())


def _first_places(rankings: Sequence[Ranking]) -> Table:
    """Returns the best method of each ranking."""
    metric = rankings[0].metric
    groups = [name for name in ("accuracy", *SHOT_GROUPS) if name != metric]
    columns = [
        Column("data set"),
        Column("best method"),
        Column(ACCURACIES[metric].removesuffix("-shot"), decimals=1),
        *(
            Column(
                ACCURACIES[name].removesuffix("-shot"),
                decimals=1,
                shown="always" if name == "few" else "wide",
            )
            for name in groups
        ),
        Column("inference", shown="more"),
        Column("shot rule", shown="more"),
    ]
    rows: list[list[CellValue]] = []
    for ranking in rankings:
        best, about = ranking.entries[0], ranking.conditions
        score = best.cell.mean(metric)
        row = ranking_rows(ranking)[0]
        bounds = [getattr(row, f"{metric}_ci_{end}", None) for end in ("low", "high")]
        rows.append(
            [
                about.dataset,
                best.name,
                None if score is None else WithInterval(score, *bounds),
                *(best.cell.mean(name) for name in groups),
                about.inference,
                about.shot_rule,
            ]
        )
    caption = f"The best method of each ranking by {ACCURACIES[metric]} accuracy, in percent."
    return Table("first_places", caption, columns, rows)
