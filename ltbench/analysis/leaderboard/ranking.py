"""Which cells can be compared, and in which order they come."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ltbench.analysis.comparison.config_diff import names
from ltbench.analysis.comparison.environments import environment_notes
from ltbench.analysis.leaderboard.significance import CLAIM, NOT_TESTED, ONE_SEED, Family, RowTests
from ltbench.analysis.metrics import DEFAULT_RULE, SHOT_RULES
from ltbench.config.options import as_typed
from ltbench.config.shorthand import Shorthand, dataset_label
from ltbench.specs import Settings
from ltbench.storage.results import Cell

TESTED = 100
"""Number of rows of a ranking, from the best, that are compared with each other."""


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
        p: P value of the difference to the best row with two seeds or more, corrected for all pairs
            of rows; None for that row, and for those that were not tested.
        significant: Whether p is below 1 - level.
        claim: What rank and p speak of: `CLAIM`, or why nothing is claimed; None without a rank.
    """

    cell: Cell
    name: str
    settings: Settings
    rank: int | None
    interval: tuple[float, float] | None
    p: float | None
    significant: bool | None
    claim: str | None


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
    on, as in the clusters of machine translation's shared tasks (Bojar and others, 2016). Which
    row is best is known only after looking at all of them, and so is who begins a group: p values
    are corrected for all pairs of rows.

    Args:
        conditions: What they have in common.
        members: Cells and their settings, as `arrange` returns them.
        metric: One of `ltbench.analysis.comparison.pairs.METRICS`.
        level: Of confidence.
        advance: Called once for each member, to show how far it is.
    """
    scores = [cell.mean(metric) for cell, _ in members]
    values = [-math.inf if score is None else score for score in scores]
    order = sorted(range(len(members)), key=lambda at: -values[at])
    cells = [members[at][0] for at in order]
    settings = [members[at][1] for at in order]
    rule = SHOT_RULES.get(conditions.shot_rule, DEFAULT_RULE)
    tests = RowTests(cells, _names(cells, settings), rule, level, advance)
    ranked = sum(score is not None for score in scores)
    family = tests.family(min(ranked, TESTED), metric)
    vs_best = family.against_best()
    claims = _claims(cells[:ranked], family)
    ranks = _ranks(family, claims, level)
    entries = tuple(
        Entry(
            cell=cell,
            name=tests.names[place],
            settings=settings[place],
            rank=ranks[place] if place < ranked else None,
            interval=tests.interval(place),
            p=vs_best.get(place),
            significant=None if place not in vs_best else vs_best[place] < 1 - level,
            claim=claims[place] if place < ranked else None,
        )
        for place, cell in enumerate(cells)
    )
    trained = environment_notes(
        {name: cell.runs for name, cell in zip(tests.names, cells, strict=True)}
    )
    notes = tuple(dict.fromkeys([*_notes(claims), *trained, *tests.notes]))
    return Ranking(conditions, metric, level, entries, notes)


def _ranks(family: Family, claims: Sequence[str], level: float) -> list[int]:
    """Returns the ranks of the rows that have a score.

    A row with one seed shares the rank above it: nothing tells it apart.

    Args:
        family: Rows of which all pairs were compared.
        claims: (R,) what the ranks speak of.
        level: Confidence.
    """
    ranks: list[int] = []
    leader, shared = None, 1
    for place, claim in enumerate(claims):
        if claim == ONE_SEED:
            ranks.append(ranks[-1] if ranks else 1)
            continue
        if claim == NOT_TESTED:
            ranks.append(place + 1)
            continue
        if leader is None:
            leader, shared = place, place + 1 if NOT_TESTED in claims[:place] else 1
        elif family.between(leader, place) < 1 - level:
            leader, shared = place, place + 1
        ranks.append(shared)
    return ranks


def _claims(cells: Sequence[Cell], family: Family) -> list[str]:
    """Returns what the rank and the p value of each row speak of, (R,)."""
    found = []
    for place, cell in enumerate(cells):
        untested = ONE_SEED if len(cell.runs) == 1 else NOT_TESTED
        found.append(CLAIM if place in family.places else untested)
    return found


def _notes(claims: Sequence[str]) -> Iterator[str]:
    """Yields what a reader must know of rows about which nothing is claimed."""
    alone = claims.count(ONE_SEED)
    if alone:
        yield (
            f"NO CLAIM about the methods of {alone} of {len(claims)} rows: they have one seed. "
            "Another seed is another model, and may be better or worse; such rows have no p value "
            "and share the rank above them. Run more seeds"
        )
    if NOT_TESTED in claims:
        yield "rows that were not tested have no p value: their rank is their place"
    if len(claims) > TESTED:
        yield f"only the {TESTED} best of {len(claims)} rows are compared with each other"


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
    rules = [run.metrics.shot_rule for run in cell.runs]
    for rule in dict.fromkeys(rules):
        runs = tuple(run for run, its in zip(cell.runs, rules, strict=True) if its == rule)
        yield rule, replace(cell, runs=runs)


def _told_apart(conditions: Conditions, identities: Mapping[str, set[str]]) -> Conditions:
    """Data sets of one label that are not the same ones get a piece of their identity."""
    if len(identities[conditions.dataset]) == 1:
        return conditions
    return replace(conditions, dataset=f"{conditions.dataset} [{conditions.identity[-8:]}]")
