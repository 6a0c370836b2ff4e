"""A leaderboard: all rankings of some runs, and published results beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ltbench.analysis.leaderboard.ranking import Ranking, arrange, rank
from ltbench.analysis.leaderboard.rows import Row, published_row, rows_of
from ltbench.config.resolve import resolve
from ltbench.config.shorthand import Shorthand, dataset_label
from ltbench.errors import LTBenchError
from ltbench.published import PublishedResult
from ltbench.registry.registry import Registry
from ltbench.storage.results import Cell


@dataclass(frozen=True)
class Leaderboard:
    """Rankings, and the published results on their data sets.

    Args:
        rankings: By their conditions.
        published: Label of a data set -> rows.
    """

    rankings: tuple[Ranking, ...]
    published: dict[str, list[Row]]

    def published_beside(self, ranking: Ranking) -> list[Row]:
        """Returns the published rows shown with a ranking: with the last of its data set."""
        of_dataset = [
            each for each in self.rankings if each.conditions.dataset == ranking.conditions.dataset
        ]
        known = self.published.get(ranking.conditions.dataset, [])
        return known if of_dataset[-1] is ranking else []

    def rows(self) -> list[Row]:
        """Returns all rows: those of each data set by ranking, then its published ones."""
        return [
            row
            for ranking in self.rankings
            for row in (*rows_of(ranking), *self.published_beside(ranking))
        ]


def leaderboard(
    cells: Sequence[Cell],
    registry: Registry,
    *,
    metric: str = "accuracy",
    level: float = 0.95,
    published: Iterable[PublishedResult] = (),
    advance: Callable[[], object] = lambda: None,
) -> Leaderboard:
    """Makes a leaderboard.

    Args:
        cells: Measured.
        registry: What is installed: says what is unusual about a run.
        metric: The accuracy that decides.
        level: Of confidence.
        published: Results of papers; those on the cells' data sets are taken.
        advance: Called once for each cell, to show how far it is.
    """
    shorthand = Shorthand(registry)
    rankings = tuple(
        rank(conditions, members, metric=metric, level=level, advance=advance)
        for conditions, members in arrange(cells, shorthand)
    )
    labels = {ranking.conditions.dataset for ranking in rankings}
    rows: dict[str, list[Row]] = {}
    for result in published:
        label = _label(result, registry, shorthand)
        if label in labels:
            rows.setdefault(label, []).append(published_row(result, label))
    return Leaderboard(rankings, rows)


def _label(result: PublishedResult, registry: Registry, shorthand: Shorthand) -> str | None:
    """The label of the data set that a result is on; None where the set is not installed."""
    about = {k: v for k, v in result.run_settings.items() if k.partition(".")[0] == "dataset"}
    try:
        spec = resolve(registry, about, Path(), identify=False).spec
    except LTBenchError:
        return None
    return dataset_label(shorthand.settings(spec))
