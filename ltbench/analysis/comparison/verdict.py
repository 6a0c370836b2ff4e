"""Answer of a comparison in one sentence: which of two is better, by how much, or a tie."""

from __future__ import annotations

from collections.abc import Sequence

from ltbench.analysis.comparison.compare_options import CompareOptions
from ltbench.analysis.comparison.pairs import MetricComparison, PairComparison
from ltbench.analysis.comparison.summary_text import (
    METRIC_PHRASES,
    describe_correction,
    format_p,
    format_points,
    model_name,
)

TIE = "tie"
"""Word for two accuracies that do not differ significantly."""


def better_names(pair: PairComparison, options: CompareOptions) -> list[str]:
    """Returns the name of the better one for each accuracy, `TIE`, or "-" without classes."""
    return ["-" if one is None else _better(pair, one, options) for one in pair.outcomes.values()]


def verdict(pair: PairComparison, options: CompareOptions, headline: str) -> str:
    """Returns the answer of a comparison as a sentence without a full stop.

    Args:
        pair: Comparison of two cells, with corrected p values.
        options: Options of the comparison.
        headline: Name of the accuracy whose difference the sentence gives, if it is significant or
            none is. Otherwise it gives that of the first accuracy that is.
    """
    first, second = (model_name(pair, sample) for sample in (pair.first, pair.second))
    # Means that are the same on these images, as overall and mean-class accuracy, are said once.
    known = [one for one in pair.outcomes.values() if one is not None and one.same_as is None]
    if not known:
        return f"no comparison of {first} and {second}: no classes with test images"
    apart = [one for one in known if _is_clear(one, options)]
    main = next((one for one in known if one.metric == headline), known[0])
    if not apart:
        of = "" if len(known) == 1 else f" in any of {len(known)} accuracies"
        return (
            f"{TIE}: no difference was found between {first} and {second}{of}; "
            f"{METRIC_PHRASES[main.metric]} {_numbers(main, 1, options)}"
        )
    main = main if main in apart else apart[0]
    leader = _better(pair, main, options)
    winner, loser = (first, second) if leader == pair.first.name else (second, first)
    sign = 1 if leader == pair.first.name else -1
    where = METRIC_PHRASES[main.metric]
    text = f"{winner} is better than {loser} {where} by {_numbers(main, sign, options)}"
    also = [one for one in apart if one is not main and _better(pair, one, options) == leader]
    worse = [one for one in apart if _better(pair, one, options) != leader]
    tied = [one for one in known if one not in apart]
    parts = [
        ("better also ", also),
        (f"{loser} is better ", worse),
        (f"{TIE} ", tied),
    ]
    more = [
        start + _listed([METRIC_PHRASES[o.metric] for o in some]) for start, some in parts if some
    ]
    return "; ".join([text, *more])


def _better(pair: PairComparison, outcome: MetricComparison, options: CompareOptions) -> str:
    if not _is_clear(outcome, options):
        return TIE
    return pair.first.name if outcome.evidence.difference > 0 else pair.second.name


def _is_clear(outcome: MetricComparison, options: CompareOptions) -> bool:
    return outcome.corrected_p < 1 - options.level


def _numbers(outcome: MetricComparison, sign: int, options: CompareOptions) -> str:
    """Returns difference, interval and p value; with the sign -1 of the second minus the first."""
    found = outcome.evidence
    low, high = sorted((sign * found.low, sign * found.high))
    p = format_p(outcome.corrected_p)
    return (
        f"{format_points(sign * found.difference)} points "
        f"[{format_points(low)}, {format_points(high)}], p {p if p.startswith('<') else f'= {p}'} "
        f"({describe_correction(options.correction, options.comparisons)})"
    )


def _listed(texts: Sequence[str]) -> str:
    """Returns phrases as a list; what they begin and end with in common is said once.

    >>> _listed(["on many-shot classes", "on few-shot classes"])
    'on many-shot and few-shot classes'
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for text in texts:
        begin, name, end = text.split(" ")
        groups.setdefault((begin, end), []).append(name)
    said = [
        f"{begin} {', '.join(names[:-1])} and {names[-1]} {end}"
        if len(names) > 1
        else f"{begin} {names[0]} {end}"
        for (begin, end), names in groups.items()
    ]
    return " and ".join(said)
