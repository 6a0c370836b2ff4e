"""The answer of a report in words: which method is best, by how much, and how certainly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ltbench.analysis.comparison.across_datasets import AcrossDatasets
from ltbench.analysis.comparison.summary_text import METRIC_PHRASES
from ltbench.analysis.leaderboard.ranking import RankedCell, Ranking
from ltbench.analysis.leaderboard.significance import CLAIM_METHODS, NO_CLAIM_ONE_SEED
from ltbench.metric_names import ACCURACIES
from ltbench.report.page.content import Answer
from ltbench.report.sections.evidence import RankingEvidence

_MAX_NAMED = 3  # methods in a sentence; of more, the number
_MIN_VISIBLE_POINTS = 0.05  # percent points; smaller differences vanish in one decimal


def ranking_answer(ranking: Ranking, evidence: RankingEvidence | None) -> Answer:
    """Returns the answer of one ranking.

    Args:
        ranking: Ranking of the cells.
        evidence: Results of its best methods; None without predictions.
    """
    metric, dataset = ranking.metric, ranking.conditions.dataset
    scored = [entry for entry in ranking.entries if entry.cell.mean(metric) is not None]
    if not scored:
        return Answer(f"No method has {ACCURACIES[metric]} accuracy on {dataset}.")
    best, others = scored[0], scored[1:]
    headline = _headline(best, others, metric, dataset)
    detail = [*_gaps(best, others, metric), *_few_shot(scored, metric)]
    return Answer(headline, " ".join([*detail, _conditions(scored, evidence)]))


def several_answer(rankings: Sequence[Ranking], across: AcrossDatasets | None) -> Answer:
    """Returns the answer of several rankings: by average ranks, or by the number of first places.

    Args:
        rankings: Rankings, each with one cell or more.
        across: Comparison over the data sets; None where methods cannot be compared.
    """
    metric = rankings[0].metric
    firsts = [_first_place(ranking) for ranking in rankings]
    listed = [f"{where}: {text}" for where, text in zip(places(rankings), firsts, strict=True)]
    highest = f"Highest {ACCURACIES[metric]} accuracy on {'; '.join(listed)}."
    if across is None:
        names = [ranking.entries[0].name for ranking in rankings]
        count = max(names.count(name) for name in names)
        if count == 1:
            return Answer(f"A different method is best in each of {len(names)} rankings.", highest)
        often = [name for name in dict.fromkeys(names) if names.count(name) == count]
        return Answer(
            f"{_listed(often)} {'has' if len(often) == 1 else 'each have'} the highest "
            f"{ACCURACIES[metric]} accuracy in {count} of {len(names)} rankings.",
            highest,
        )
    ranks = across.ranks.ranks
    first = [across.methods[place] for place in np.flatnonzero(np.isclose(ranks, ranks.min()))]
    close = number_not_separated(across) - 1
    tied = (
        "Nemenyi's test separates it from all others."
        if close == 0
        else "Nemenyi's test does not separate it from any other."
        if close == len(ranks) - 1
        else f"Nemenyi's test does not separate it from {_number_of(close, len(ranks) - 1)}."
    )
    return Answer(
        f"{_listed(first)} {'has' if len(first) == 1 else 'share'} the best average rank "
        f"{METRIC_PHRASES[metric]}: {ranks.min():.1f} among {len(ranks)} methods on "
        f"{len(across.datasets)} data sets.",
        f"{tied} {highest}",
    )


def number_not_separated(across: AcrossDatasets) -> int:
    """Returns the number of methods that Nemenyi's test does not separate from the best."""
    ranks = across.ranks.ranks
    return int((ranks - ranks.min() < across.ranks.difference).sum())


def _headline(best: RankedCell, others: Sequence[RankedCell], metric: str, dataset: str) -> str:
    score, what = f"{best.cell.mean(metric):.1f} %", f"{ACCURACIES[metric]} accuracy"
    if not others:
        return f"{best.name} reaches {score} {what} on {dataset}."
    if best.claim == NO_CLAIM_ONE_SEED:
        return (
            f"{best.name} has the highest {what} on {dataset}, {score}, but no claim about the "
            "method follows from one seed."
        )
    if best.claim != CLAIM_METHODS:
        return f"{best.name} has the highest {what} on {dataset}, {score}; it was not tested."
    tested = [entry for entry in others if entry.claim == CLAIM_METHODS]
    tied = sum(entry.rank == best.rank for entry in tested)
    field = f"{len(others) + 1} {_noun([best, *others])}"
    if not tested:
        return f"{best.name} has the highest {what} of {field} on {dataset}, {score}; no tests."
    if tied == 0:
        second = tested[0]
        if len(tested) < len(others):  # one without a test may be as good
            field = f"the {len(tested) + 1} tested {_noun([best, *tested])}"
        return (
            f"{best.name} is the best of {field} on {dataset}: {score} {what}, "
            f"{_gap(best, second, metric)} above {second.name}."
        )
    return (
        f"{best.name} leads {field} on {dataset} with {score} {what}, in a statistical tie with "
        f"{_number_of(tied, len(others))}."
    )


def _gaps(best: RankedCell, others: Sequence[RankedCell], metric: str) -> list[str]:
    """Returns sentences on the second method, and on the first that is significantly worse."""
    if not others:
        return []
    said, second = [], others[0]
    worse = [entry for entry in others if entry.significant]
    if not worse or worse[0] is not second:
        said.append(f"The next, {second.name}, is {_gap(best, second, metric)} behind.")
    if worse:
        names = ", ".join(entry.name for entry in worse)
        whose = f"by {_gap(best, worse[0], metric)}" + (" or more" if len(worse) > 1 else "")
        if len(worse) > _MAX_NAMED:
            names = f"{len(worse)} {_noun(worse)}"
        verb = "is" if len(worse) == 1 else "are"
        said.append(f"{names} {verb} significantly worse, {whose}.")
    alone = sum(entry.claim == NO_CLAIM_ONE_SEED for entry in (best, *others))
    if alone:
        verbs = "has one seed and supports" if alone == 1 else "have one seed and support"
        said.append(f"{alone} of {len(others) + 1} rows {verbs} no claim.")
    return said


def _few_shot(scored: Sequence[RankedCell], metric: str) -> list[str]:
    """Returns a sentence on few-shot classes, or on all images where the ranking is on those."""
    other = "accuracy" if metric == "few" else "few"
    known = [entry for entry in scored if entry.cell.mean(other) is not None]
    if len(scored) < 2 or scored[0] not in known:
        return []
    best, top = scored[0], max(known, key=lambda entry: _mean(entry, other))
    where = METRIC_PHRASES[other].capitalize()
    if f"{_mean(top, other):.1f}" == f"{_mean(best, other):.1f}":
        return [f"{where} it is highest too, with {_mean(best, other):.1f} %."]
    return [
        f"{where} {top.name} is highest with {_mean(top, other):.1f} %; {best.name} has "
        f"{_mean(best, other):.1f} %."
    ]


def _conditions(scored: Sequence[RankedCell], evidence: RankingEvidence | None) -> str:
    """Returns what was measured: images, classes, seeds and backbones."""
    # A method that no seed changes has one run, which says nothing about the others' seeds.
    drawn = [entry for entry in scored if not entry.cell.seedless] or scored
    counts = sorted({len(entry.cell.runs) for entry in drawn})
    seeds = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0])
    said = [f"{seeds} seed{'' if counts == [1] else 's'}"]
    if evidence is not None:
        tested = int((evidence.test_images > 0).sum())
        said.insert(0, f"{evidence.test_images.sum():,} test images of {tested:,} classes")
    backbones = list(dict.fromkeys(entry.cell.spec.backbone.name for entry in scored))
    said.append(backbones[0] if len(backbones) == 1 else f"{len(backbones)} backbones")
    return f"Measured on {', '.join(said)}." if evidence else f"Measured with {', '.join(said)}."


def _first_place(ranking: Ranking) -> str:
    best = ranking.entries[0]
    score = best.cell.mean(ranking.metric)
    return best.name if score is None else f"{best.name} ({score:.1f} %)"


def places(rankings: Sequence[Ranking]) -> list[str]:
    """Returns the data set of each ranking, with the inference where a data set has several."""
    names = [ranking.conditions.dataset for ranking in rankings]
    return [
        name if names.count(name) == 1 else f"{name} with {ranking.conditions.inference}"
        for name, ranking in zip(names, rankings, strict=True)
    ]


def _noun(entries: Sequence[RankedCell]) -> str:
    methods = {entry.cell.spec.method.name for entry in entries}
    return "methods" if len(methods) == len(entries) else "configurations"


def _number_of(count: int, total: int) -> str:
    """Returns a number of others as text.

    >>> _number_of(5, 6), _number_of(1, 6), _number_of(6, 6), _number_of(1, 1)
    ('5 others', 'one other', 'all 6 others', 'the other')
    """
    if count == total:
        return "the other" if total == 1 else f"all {total} others"
    return "one other" if count == 1 else f"{count} others"


def _listed(names: Sequence[str]) -> str:
    """Returns names as text, of many their number.

    >>> _listed(["a"]), _listed(["a", "b"]), _listed(["a", "b", "c", "d"])
    ('a', 'a and b', '4 methods')
    """
    if len(names) > _MAX_NAMED:
        return f"{len(names)} methods"
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _gap(better: RankedCell, worse: RankedCell, metric: str) -> str:
    """Returns the difference of two means as text."""
    points = _mean(better, metric) - _mean(worse, metric)
    return "less than 0.1 points" if points < _MIN_VISIBLE_POINTS else f"{points:.1f} points"


def _mean(entry: RankedCell, metric: str) -> float:
    score = entry.cell.mean(metric)
    assert score is not None
    return score
