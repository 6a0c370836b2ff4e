"""Which cells can be compared, and in which order they come."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ltbench.comparison.differences import names
from ltbench.comparison.pairs import Pair, compare
from ltbench.comparison.samples import Sample, read_sample
from ltbench.comparison.words import seeds_text
from ltbench.config.options import as_typed
from ltbench.config.shorthand import Shorthand, dataset_label
from ltbench.errors import ConfigError, DataError
from ltbench.metrics import DEFAULT_RULE, SHOT_RULES
from ltbench.results import Cell
from ltbench.specs import Settings
from ltbench.stats.crossed import crossed_interval
from ltbench.stats.multiplicity import correct
from ltbench.stats.strata import Strata

TESTED = 100
"""Rows of a ranking that are compared with its best; of those below nobody asks."""


@dataclass(frozen=True, order=True)
class Conditions:
    """What the cells of a ranking have in common: without it, their numbers mean other things.

    Args:
        dataset: Label of the data set, with what is unusual about its images and its split.
        identity: Of the data set.
        inference: Name of the test views.
        selection: Rule by which the epoch is selected.
        shot_rule: Where many ends and few begins.
    """

    dataset: str
    identity: str
    inference: str
    selection: str
    shot_rule: str


@dataclass(frozen=True)
class Entry:
    """A cell in its ranking.

    Args:
        cell: Its runs.
        name: Tells it apart from the others there.
        settings: What makes it, as `Shorthand.settings` returns it.
        rank: From 1, shared by entries that are not told apart; None where it has no such accuracy.
        interval: Of the accuracy over other seeds and other images, in percent; None where there
            are no predictions.
        p: Of the difference to the best, Holm-corrected; None for the best, and where unknown.
        significant: Whether p is below 1 - level.
    """

    cell: Cell
    name: str
    settings: Settings
    rank: int | None
    interval: tuple[float, float] | None
    p: float | None
    significant: bool | None


@dataclass(frozen=True)
class Ranking:
    """Cells under the same conditions, best first.

    Args:
        conditions: What they have in common.
        metric: The accuracy that decides.
        level: Of confidence.
        entries: By that accuracy; those without it last.
        notes: What a reader must know besides.
    """

    conditions: Conditions
    metric: str
    level: float
    entries: tuple[Entry, ...]
    notes: tuple[str, ...]


Member = tuple[Cell, Settings]
"""A cell and what makes it, as `Shorthand.settings` returns it."""
Arranged = tuple[Conditions, Sequence[Member]]


def arrange(cells: Sequence[Cell], shorthand: Shorthand) -> list[Arranged]:
    """Returns cells with their settings, grouped by their conditions, sorted by these."""
    groups: dict[Conditions, list[Member]] = {}
    for cell in cells:
        settings = shorthand.settings(cell.spec)
        for rule, runs in _by_shot_rule(cell):
            conditions = Conditions(
                dataset=dataset_label(settings),
                identity=cell.spec.dataset.identity,
                inference=cell.spec.inference.name,
                selection=cell.spec.select,
                shot_rule=rule,
            )
            groups.setdefault(conditions, []).append((runs, settings))
    identities: dict[str, set[str]] = {}
    for each in groups:
        identities.setdefault(each.dataset, set()).add(each.identity)
    arranged = [(_told_apart(each, identities), members) for each, members in groups.items()]
    return sorted(arranged, key=lambda each: each[0])


def rank(
    conditions: Conditions,
    members: Sequence[Member],
    *,
    metric: str = "accuracy",
    level: float = 0.95,
    advance: Callable[[], object] = lambda: None,
) -> Ranking:
    """Ranks cells under the same conditions.

    The best and the rows below it that are not significantly worse share rank 1. The first that is
    worse begins the next group, which all share that are not significantly worse than it, and so
    on, as in the clusters of machine translation's shared tasks (Bojar and others, 2016).

    Args:
        conditions: What they have in common.
        members: Cells and their settings, as `arrange` returns them.
        metric: One of `ltbench.comparison.pairs.METRICS`.
        level: Of confidence.
        advance: Called once for each member, to show how far it is.
    """
    scores = [cell.mean(metric) for cell, _ in members]
    values = [-math.inf if score is None else score for score in scores]
    order = sorted(range(len(members)), key=lambda at: -values[at])
    cells = [members[at][0] for at in order]
    settings = [members[at][1] for at in order]
    tests = _Tests(cells, _names(cells, settings), metric, level, advance, conditions.shot_rule)
    ranked = sum(score is not None for score in scores)
    vs_best = tests.against_first(min(ranked, TESTED))
    ranks = _ranks(tests, vs_best, ranked)
    entries = tuple(
        Entry(
            cell=cell,
            name=tests.names[place],
            settings=settings[place],
            rank=ranks[place] if place < ranked else None,
            interval=tests.interval(place),
            p=vs_best.get(place),
            significant=None if place not in vs_best else vs_best[place] < 1 - level,
        )
        for place, cell in enumerate(cells)
    )
    if any(place not in vs_best for place in range(1, ranked)):
        tests.notes.append("rows without a p value were not tested: their rank is their place")
    if ranked > TESTED:
        tests.notes.append(f"only the {TESTED} best of {ranked} rows are compared with the best")
    return Ranking(conditions, metric, level, entries, tuple(dict.fromkeys(tests.notes)))


class _Tests:
    """The cells of a ranking on their images, read when they are needed."""

    def __init__(
        self,
        cells: Sequence[Cell],
        named: Sequence[str],
        metric: str,
        level: float,
        advance: Callable[[], object],
        shot_rule: str,
    ) -> None:
        self.names = named
        self.notes: list[str] = []
        self.metric, self.level = metric, level
        self._shot_rule = shot_rule
        self._samples = []
        for each in zip(cells, named, strict=True):
            self._samples.append(self._read(*each))
            advance()

    def interval(self, place: int) -> tuple[float, float] | None:
        sample = self._samples[place]
        if sample is None:
            return None
        rule = SHOT_RULES.get(self._shot_rule, DEFAULT_RULE)
        strata = Strata.of_classes(sample.labels, rule.groups(sample.class_counts))
        found = crossed_interval(sample.right, strata.only(["accuracy"]), level=self.level)
        found = found["accuracy"]
        return 100 * found.low, 100 * found.high

    def against_first(self, count: int) -> dict[int, float]:
        """Returns Holm-corrected p values of the rows after the first, where there are any."""
        raw = {place: self.p(0, place) for place in range(1, count)}
        known = {place: p for place, p in raw.items() if p is not None}
        found = correct(list(known.values()), "holm")
        return dict(zip(known, map(float, found), strict=True))

    def p(self, better: int, worse: int) -> float | None:
        """Returns the p value of a difference, or None where it cannot be told."""
        first, second = self._samples[better], self._samples[worse]
        if first is None or second is None:
            return None
        try:
            pair = compare(first, second, (self.metric,), level=self.level)
        except ConfigError as error:
            self.notes.append(error.message)
            return None
        self.notes += _seed_notes(pair)
        outcome = pair.outcomes[self.metric]
        return None if outcome is None else outcome.evidence.p

    def _read(self, cell: Cell, name: str) -> Sample | None:
        try:
            sample = read_sample(cell, name)
        except DataError as error:
            self.notes.append(f"{name} has no interval and no p value: {error.message}")
            return None
        first = next((one for one in self._samples if one is not None), sample)
        return sample.sharing(first)


def _ranks(tests: _Tests, vs_best: Mapping[int, float], ranked: int) -> list[int]:
    """Returns the ranks of the rows that have a score."""
    ranks, leader = [1] if ranked else [], 0
    for place in range(1, ranked):
        if place not in vs_best:
            ranks.append(place + 1)
            continue
        # Below the first group each row may be compared with any other: Bonferroni.
        p = vs_best[place] if leader == 0 else tests.p(leader, place)
        factor = 1 if leader == 0 else ranked - 1
        if p is None or p * factor < 1 - tests.level:
            leader = place
        ranks.append(leader + 1)
    return ranks


def _seed_notes(pair: Pair) -> Iterator[str]:
    for sample in (pair.first, pair.second):
        if set(sample.cell.seeds) != set(pair.seeds):
            yield (
                f"{pair.first.name} and {pair.second.name} are compared on the seeds that both "
                f"have: {seeds_text(pair.seeds)}"
            )
    if len(pair.seeds) == 1:
        yield "where there is one common seed, p values speak of these models, not of other seeds"


def shared_settings(each: Sequence[Settings]) -> dict[str, Any]:
    """Returns the settings that all have."""
    first, *others = each
    return {k: v for k, v in first.items() if all(k in one and one[k] == v for one in others)}


def _names(cells: Sequence[Cell], settings: Sequence[Settings]) -> list[str]:
    """A name for each cell: its method, and what is unusual about it that others do not share."""
    shared = {*shared_settings(settings), "method"}
    found = []
    for one in settings:
        own = ", ".join(f"{k}={as_typed(v)}" for k, v in one.items() if k not in shared)
        found.append(f"{one['method']} ({own})" if own else str(one["method"]))
    # Versions and identities are no settings, and may be all that differs.
    return found if len(set(found)) == len(found) else names(cells)


def _by_shot_rule(cell: Cell) -> Iterator[tuple[str, Cell]]:
    """The runs of a cell by the rule that their groups were made by."""
    rules = [run.result["metrics"]["shot_rule"] for run in cell.runs]
    for rule in dict.fromkeys(rules):
        runs = tuple(run for run, its in zip(cell.runs, rules, strict=True) if its == rule)
        yield rule, replace(cell, runs=runs)


def _told_apart(conditions: Conditions, identities: Mapping[str, set[str]]) -> Conditions:
    """Data sets of one label that are not the same ones get a piece of their identity."""
    if len(identities[conditions.dataset]) == 1:
        return conditions
    return replace(conditions, dataset=f"{conditions.dataset} [{conditions.identity[-8:]}]")
