"""Leaderboard: all rankings of some runs, and published results for the same data sets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ltbench.analysis.leaderboard.ranking import Ranking, group_by_conditions, rank_cells
from ltbench.analysis.leaderboard.rows import Row, published_row, ranking_rows
from ltbench.config.minimal_settings import Shorthand, dataset_label
from ltbench.config.resolve import resolve
from ltbench.errors import LTBenchError
from ltbench.published import PublishedResult
from ltbench.registry.registry import Registry
from ltbench.storage.results import Cell, expect_comparable


@dataclass(frozen=True)
class Leaderboard:
    """Rankings of measured runs, and published results on the same data sets.

    Args:
        rankings: Rankings, sorted by their conditions.
        published: Label of a data set -> rows of published results.
    """

    rankings: tuple[Ranking, ...]
    published: dict[str, list[Row]]

    def published_beside(self, ranking: Ranking) -> list[Row]:
        """Returns the published rows to show with a ranking.

        They are shown once, with the last ranking of their data set.
        """
        of_dataset = [
            each for each in self.rankings if each.conditions.dataset == ranking.conditions.dataset
        ]
        known = self.published.get(ranking.conditions.dataset, [])
        return known if of_dataset[-1] is ranking else []

    def rows(self) -> list[Row]:
        """Returns all rows: for each data set, the rows by ranking, then the published rows."""
        return [
            row
            for ranking in self.rankings
            for row in (*ranking_rows(ranking), *self.published_beside(ranking))
        ]


def build_leaderboard(
    cells: Sequence[Cell],
    registry: Registry,
    *,
    metric: str = "accuracy",
    level: float = 0.95,
    published: Iterable[PublishedResult] = (),
    marked: Collection[str] = (),
    advance: Callable[[], object] = lambda: None,
) -> Leaderboard:
    """Ranks cells, and adds the published results on their data sets.

    Args:
        cells: Measured runs.
        registry: Installed components, whose defaults decide which settings are shown.
        metric: Name of the accuracy that cells are ranked by.
        level: Confidence level, 0 to 1.
        published: Results of papers; those on other data sets are ignored.
        marked: Names of columns of a table that marks the best rows; those of the accuracies among
            them are found.
        advance: Progress callback, called once per cell.

    Raises:
        ConfigError: A run is a quick look.
    """
    expect_comparable(run for cell in cells for run in cell.runs)
    shorthand = Shorthand(registry)
    rankings = tuple(
        rank_cells(conditions, members, metric=metric, level=level, marked=marked, advance=advance)
        for conditions, members in group_by_conditions(cells, shorthand)
    )
    labels = {ranking.conditions.dataset for ranking in rankings}
    rows: dict[str, list[Row]] = {}
    for result in published:
        label = _published_label(result, registry, shorthand)
        if label in labels:
            rows.setdefault(label, []).append(published_row(result, label))
    return Leaderboard(rankings, rows)


def _published_label(
    result: PublishedResult, registry: Registry, shorthand: Shorthand
) -> str | None:
    """Returns the label of a result's data set; None where the data set is not installed."""
    about = {k: v for k, v in result.run_settings.items() if k.partition(".")[0] == "dataset"}
    try:
        spec = resolve(registry, about, Path(), identify=False).spec
    except LTBenchError:
        return None
    return dataset_label(shorthand.settings(spec))
