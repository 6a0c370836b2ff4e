"""Rankings of comparable cells."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ltbench.analysis.comparison.config_diff import name_cells
from ltbench.analysis.comparison.environments import environment_notes
from ltbench.analysis.dataset_titles import dataset_titles
from ltbench.analysis.leaderboard.significance import (
    CLAIM_METHODS,
    NO_CLAIM_NOT_TESTED,
    NO_CLAIM_ONE_SEED,
    Family,
    RowTests,
)
from ltbench.analysis.metrics import DEFAULT_RULE, SHOT_RULES
from ltbench.config.minimal_settings import Shorthand, dataset_label
from ltbench.config.options import as_typed
from ltbench.metric_names import ACCURACIES
from ltbench.specs import Settings
from ltbench.storage.results import Cell

MAX_TESTED_ROWS = 100
"""Number of rows of a ranking, from the best, that are compared with each other."""


@dataclass(frozen=True, order=True)
class Conditions:
    """Conditions that the cells of a ranking share; under other conditions numbers differ.

    Args:
        dataset: Label of the data set: its title, with its unusual options and its split.
        identity: Identity of the data set.
        inference: Name of the inference.
        selection: Rule of epoch selection.
        shot_rule: Name of the rule of the shot groups.
    """

    dataset: str
    identity: str
    inference: str
    selection: str
    shot_rule: str


@dataclass(frozen=True)
class RankedCell:
    """Cell with its place in a ranking.

    Args:
        cell: Runs of the cell.
        name: Short name, unique in the ranking.
        settings: Settings of the runs, from `Shorthand.settings`.
        rank: Rank from 1, shared by cells that do not differ significantly; None where the cell
            lacks the accuracy.
        intervals: Accuracy -> its interval over seeds and images, in percent; empty without
            predictions, and without the accuracies of empty shot groups.
        p: P value of the difference to the best row with two seeds or more, corrected for all pairs
            of rows; None for that row, and for rows that were not tested.
        significant: Whether p is below 1 - level; None without a p value.
        claim: Scope of rank and p value: `CLAIM_METHODS`, or the reason why they support no claim;
            None without a rank.
        not_worse: Accuracies among the `marked` ones of `rank_cells` in which the row was tested
            and is not significantly worse than the best tested row, which is one of these itself.
    """

    cell: Cell
    name: str
    settings: Settings
    rank: int | None
    intervals: Mapping[str, tuple[float, float]]
    p: float | None
    significant: bool | None
    claim: str | None
    not_worse: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Ranking:
    """Cells under the same conditions, best first.

    Args:
        conditions: Shared conditions.
        metric: Name of the accuracy that cells are ranked by.
        level: Confidence level, 0 to 1.
        entries: Cells in descending order of the accuracy; cells without it last.
        notes: Notes for readers, as sentences without a full stop.
    """

    conditions: Conditions
    metric: str
    level: float
    entries: tuple[RankedCell, ...]
    notes: tuple[str, ...]


Member = tuple[Cell, Settings]
"""Cell and its settings, from `Shorthand.settings`."""
ConditionGroup = tuple[Conditions, Sequence[Member]]
"""Conditions and all cells under them."""


def group_by_conditions(cells: Sequence[Cell], shorthand: Shorthand) -> list[ConditionGroup]:
    """Returns cells with their settings, grouped and sorted by their conditions."""
    groups: dict[Conditions, list[Member]] = {}
    titles = dataset_titles([cell.spec.dataset for cell in cells])
    for cell, title in zip(cells, titles, strict=True):
        settings = shorthand.settings(cell.spec)
        for rule, runs in _split_by_shot_rule(cell):
            conditions = Conditions(
                dataset=dataset_label(settings, title),
                identity=cell.spec.dataset.identity,
                inference=cell.spec.inference.name,
                selection=cell.spec.select,
                shot_rule=rule,
            )
            groups.setdefault(conditions, []).append((runs, settings))
    identities: dict[str, set[str]] = {}
    for each in groups:
        identities.setdefault(each.dataset, set()).add(each.identity)
    arranged = [
        (_with_distinct_label(each, identities), members) for each, members in groups.items()
    ]
    return sorted(arranged, key=lambda each: each[0])


def rank_cells(
    conditions: Conditions,
    members: Sequence[Member],
    *,
    metric: str = "accuracy",
    level: float = 0.95,
    marked: Collection[str] = (),
    advance: Callable[[], object] = lambda: None,
) -> Ranking:
    """Ranks cells under the same conditions.

    The best row and the rows below it that are not significantly worse share rank 1. The first row
    that is significantly worse starts the next group, with the rows that are not significantly
    worse than it, and so on, as in the clusters of the shared tasks of machine translation (Bojar
    and others, 2016). The best row, and the first row of a group, are known only after all rows are
    compared. P values are therefore corrected for all pairs of rows.

    Args:
        conditions: Shared conditions of the cells.
        members: Cells and their settings, from `group_by_conditions`.
        metric: Name of the accuracy, one of `ltbench.metric_names.ACCURACIES`.
        level: Confidence level, 0 to 1.
        marked: Names of columns; the best rows of the accuracies among them are found,
            `RankedCell.not_worse`. Each is tested on its own, for all pairs of rows.
        advance: Progress callback, called once per cell.
    """
    scores = [cell.mean(metric) for cell, _ in members]
    values = [-math.inf if score is None else score for score in scores]
    order = sorted(range(len(members)), key=lambda at: -values[at])
    cells = [members[at][0] for at in order]
    settings = [members[at][1] for at in order]
    rule = SHOT_RULES.get(conditions.shot_rule, DEFAULT_RULE)
    tests = RowTests(cells, _distinct_names(cells, settings), rule, level, advance)
    ranked = sum(score is not None for score in scores)
    family = tests.compare_rows(range(min(ranked, MAX_TESTED_ROWS)), metric)
    not_worse = {
        name: (
            family if name == metric else tests.compare_rows(_best_rows(cells, name), name)
        ).not_worse_than_best(level)
        for name in ACCURACIES
        if name in marked
    }
    vs_best = family.p_against_best()
    claims = _row_claims(cells[:ranked], family)
    ranks = _assign_ranks(family, claims, level)
    entries = tuple(
        RankedCell(
            cell=cell,
            name=tests.names[place],
            settings=settings[place],
            rank=ranks[place] if place < ranked else None,
            intervals=tests.intervals(place),
            p=vs_best.get(place),
            significant=None if place not in vs_best else vs_best[place] < 1 - level,
            claim=claims[place] if place < ranked else None,
            not_worse=frozenset(name for name, places in not_worse.items() if place in places),
        )
        for place, cell in enumerate(cells)
    )
    trained = environment_notes(
        {name: cell.parts("environment") for name, cell in zip(tests.names, cells, strict=True)}
    )
    notes = tuple(dict.fromkeys([*_claim_notes(claims), *trained, *tests.notes]))
    return Ranking(conditions, metric, level, entries, notes)


def _best_rows(cells: Sequence[Cell], metric: str) -> list[int]:
    """Returns the places of the cells that are tested in an accuracy, the best first."""
    scores = {place: cell.mean(metric) for place, cell in enumerate(cells)}
    known = {place: score for place, score in scores.items() if score is not None}
    return sorted(known, key=lambda place: -known[place])[:MAX_TESTED_ROWS]


def _assign_ranks(family: Family, claims: Sequence[str], level: float) -> list[int]:
    """Returns the ranks of the rows that have a score, (R,).

    A row with one seed shares the rank above it, because it cannot be tested.

    Args:
        family: Rows of which all pairs were compared.
        claims: (R,) claims of the rows.
        level: Confidence level, 0 to 1.
    """
    ranks: list[int] = []
    leader, shared = None, 1
    for place, claim in enumerate(claims):
        if claim == NO_CLAIM_ONE_SEED:
            ranks.append(ranks[-1] if ranks else 1)
            continue
        if claim == NO_CLAIM_NOT_TESTED:
            ranks.append(place + 1)
            continue
        if leader is None:
            leader, shared = place, place + 1 if NO_CLAIM_NOT_TESTED in claims[:place] else 1
        elif family.p_between(leader, place) < 1 - level:
            leader, shared = place, place + 1
        ranks.append(shared)
    return ranks


def _row_claims(cells: Sequence[Cell], family: Family) -> list[str]:
    """Returns the claim that rank and p value of each row support, (R,)."""
    found = []
    for place, cell in enumerate(cells):
        untested = NO_CLAIM_ONE_SEED if _has_one_seed(cell) else NO_CLAIM_NOT_TESTED
        found.append(CLAIM_METHODS if place in family.positions else untested)
    return found


def _has_one_seed(cell: Cell) -> bool:
    return len(cell.runs) == 1 and not cell.seedless


def _claim_notes(claims: Sequence[str]) -> Iterator[str]:
    """Yields notes about rows whose rank supports no claim."""
    alone = claims.count(NO_CLAIM_ONE_SEED)
    if alone:
        yield (
            f"NO CLAIM about the methods of {alone} of {len(claims)} rows, which have one seed: "
            "another seed gives another model, which may be better or worse. These rows have no p "
            "value and share the rank above them. Run more seeds"
        )
    if NO_CLAIM_NOT_TESTED in claims:
        yield "rows that were not tested have no p value; their rank is their position"
    if len(claims) > MAX_TESTED_ROWS:
        yield f"only the {MAX_TESTED_ROWS} best of {len(claims)} rows are compared with each other"


def shared_settings(each: Sequence[Settings]) -> dict[str, Any]:
    """Returns the settings that have the same value in all of `each`."""
    first, *others = each
    return {k: v for k, v in first.items() if all(k in one and one[k] == v for one in others)}


def _distinct_names(cells: Sequence[Cell], settings: Sequence[Settings]) -> list[str]:
    """Returns a unique name for each cell: its method, and the unusual settings not all share."""
    found = name_settings(settings)
    # Cells may differ in versions and identities alone, which are not settings.
    return found if len(set(found)) == len(found) else name_cells(cells)


def name_settings(settings: Sequence[Settings]) -> list[str]:
    """Returns a name for each choice of settings: its method, and those that not all share."""
    shared = {*shared_settings(settings), "method"}
    found = []
    for one in settings:
        own = ", ".join(f"{k}={as_typed(v)}" for k, v in one.items() if k not in shared)
        found.append(f"{one['method']} ({own})" if own else str(one["method"]))
    return found


def _split_by_shot_rule(cell: Cell) -> Iterator[tuple[str, Cell]]:
    """Yields the runs of a cell by the rule of their shot groups."""
    rules = cell.parts("metrics.shot_rule")
    if len(set(rules)) == 1:
        yield rules[0], cell
        return
    for rule in dict.fromkeys(rules):
        runs = tuple(run for run, its in zip(cell.runs, rules, strict=True) if its == rule)
        yield rule, replace(cell, runs=runs)


def _with_distinct_label(conditions: Conditions, identities: Mapping[str, set[str]]) -> Conditions:
    """Adds a part of the identity to the label of a data set where several share the label."""
    if len(identities[conditions.dataset]) == 1:
        return conditions
    return replace(conditions, dataset=f"{conditions.dataset} [{conditions.identity[-8:]}]")
