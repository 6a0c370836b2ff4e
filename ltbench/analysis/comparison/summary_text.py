"""The result of a comparison in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from ltbench.analysis.comparison.config_diff import differing, in_words
from ltbench.analysis.comparison.environments import environment_notes
from ltbench.analysis.comparison.pairs import MetricComparison, Pair
from ltbench.analysis.stats.multiplicity import Correction
from ltbench.analysis.stats.seeds import least_p
from ltbench.storage.results import Cell

WHERE = {
    "accuracy": "in overall accuracy",
    "mean_class": "in mean-class accuracy",
    "many": "on many-shot classes",
    "medium": "on medium-shot classes",
    "few": "on few-shot classes",
}
"""Which accuracy a sentence is about."""
MultipleTest = Correction | Literal["max-t"]
"""A correction of p values, or a test of all pairs at once."""
_CORRECTIONS = {
    "holm": "Holm",
    "bh": "Benjamini-Hochberg",
    "none": "not corrected",
    "max-t": "max-T",
}


def p_text(p: float) -> str:
    """Returns a p value as papers print it.

    >>> p_text(0.0412), p_text(0.00002), p_text(0.62)
    ('0.041', '< 0.001', '0.62')
    """
    if p < 0.001:
        return "< 0.001"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def correction_text(correction: MultipleTest, comparisons: int) -> str:
    """Returns how p values were corrected.

    >>> correction_text("holm", 5)
    'Holm, 5 comparisons'
    """
    if comparisons == 1:
        return "one comparison"
    return f"{_CORRECTIONS[correction]}, {comparisons} comparisons"


def sentence(
    pair: Pair, metric: str, correction: MultipleTest, comparisons: int, level: float
) -> str:
    """Returns what was found about one accuracy."""
    # Of one seed nothing is known about the methods: the sentence is about these two models.
    model = f" with seed {pair.seeds[0]}" if len(pair.seeds) == 1 else ""
    first, second, where = pair.first.name + model, pair.second.name + model, WHERE[metric]
    outcome = pair.outcomes[metric]
    if outcome is None:
        return f"{metric}-shot: no classes with test images, so nothing to compare"
    evidence = outcome.evidence
    p = p_text(outcome.corrected_p)
    p = f"p {p}" if p.startswith("<") else f"p = {p}"
    sure = f"{p} ({correction_text(correction, comparisons)})"
    better = evidence.difference > 0
    low, high = (evidence.low, evidence.high) if better else (-evidence.high, -evidence.low)
    if outcome.corrected_p < 1 - level:
        return (
            f"{first} is {'better' if better else 'worse'} than {second} {where} by "
            f"{abs(evidence.difference):.1f} points [{low:.1f}, {high:.1f}], {sure}"
        )
    if evidence.p < 1 - level:  # the interval excludes 0, and this says why it does not count
        sure += f", by itself {p_text(evidence.p)}"
    if evidence.same_images:
        return (
            f"no difference was found between {first} and {second} {where}: they are right on "
            "the same images"
        )
    return (
        f"no difference was found between {first} and {second} {where}: "
        f"{points(evidence.difference)} points [{points(evidence.low)}, {points(evidence.high)}], "
        f"{sure}; {detectable_text(evidence.detectable)}"
    )


def detectable_text(detectable: float) -> str:
    """Returns how large a true difference must be to be found, in words.

    Args:
        detectable: Smallest true difference, in points, that one comparison finds with 80 % power.

    >>> detectable_text(2.24)
    'a true difference of 2.2 points would be found 4 times in 5 by a single comparison'
    """
    return (
        f"a true difference of {detectable:.1f} points would be found 4 times in 5 by a single "
        "comparison"
    )


def rope_sentence(pair: Pair, outcome: MetricComparison, rope: float) -> str | None:
    """Returns what the Bayesian test found, where it was made."""
    across = outcome.evidence.across_seeds
    posterior = None if across is None else across.posterior
    if posterior is None:
        return None
    return (
        f"{WHERE[outcome.metric]}, by the Bayesian signed-rank test on {len(pair.seeds)} seeds: "
        f"{pair.first.name} is better by more than {rope:g} points with probability "
        f"{posterior.first:.2f}, {pair.second.name} is with {posterior.second:.2f}, and they "
        f"differ by no more with {posterior.equivalent:.2f}"
    )


def notes(pair: Pair, level: float, *, seeds_alone: bool = True) -> Iterator[str]:
    """Yields what a reader must know of a comparison besides its numbers.

    Args:
        pair: Which.
        level: Of confidence.
        seeds_alone: Whether the tests that look at seeds alone are shown.
    """
    first, second = pair.first, pair.second
    yield from _seed_notes(pair)
    if seeds_alone and len(pair.seeds) > 1 and least_p(len(pair.seeds)) >= 1 - level:
        yield (
            f"{len(pair.seeds)} seeds are too few for Wilcoxon's test: with them it can at best "
            f"have p = {least_p(len(pair.seeds)):.4g}, whatever the difference"
        )
    specs = first.cell.spec, second.cell.spec
    unlike = differing([first.cell, second.cell])
    if specs[0].split == "val":
        yield "these are accuracies on the validation split"
    if "select" in unlike:
        kept = {"last": "after the last epoch", "val": "of the epoch that is best on val"}
        said = [f"{s.name} kept the weights {kept[s.cell.spec.select]}" for s in (first, second)]
        yield "the selection rules differ: " + ", ".join(said)
    if first.inference != second.inference:
        seen = [f"{s.name} was seen with {s.inference}" for s in (first, second)]
        yield "the inferences differ: " + ", ".join(seen)
    if "data_seed" in unlike:
        drawn = " and ".join(unlike["data_seed"])
        yield f"they were trained on different images: data_seed {drawn}"
    rules = [_shot_rules(sample.cell) for sample in (first, second)]
    if len(rules[0] | rules[1]) > 1:
        named = " and ".join(sorted(rules[0] | rules[1]))
        yield f"the results were stored with the shot rules {named}; here it is {pair.shot_rule}"
    yield from environment_notes({s.name: s.cell.runs for s in (first, second)})
    said_already = {"method", "select", "data_seed", "inference"}
    others = {key: values for key, values in unlike.items() if key not in said_already}
    if others:
        besides = "besides the method " if "method" in unlike else ""
        yield f"{besides}they differ in {in_words(others)}"
    same = [outcome for outcome in pair.outcomes.values() if outcome and outcome.same_as]
    for outcome in same:
        yield (
            f"{outcome.metric} is the same mean as {outcome.same_as} on these images, and counts "
            "as one comparison with it"
        )


def _seed_notes(pair: Pair) -> Iterator[str]:
    used = seeds_text(pair.seeds)
    for sample in (pair.first, pair.second):
        left = [seed for seed in sample.cell.seeds if seed not in pair.seeds]
        if left:
            yield f"{sample.name} also has {seeds_text(left)}: not used, because paired on {used}"
    if len(pair.seeds) == 1:
        yield (
            f"one common seed ({pair.seeds[0]}): this compares two trained models on other images; "
            "nothing is known about other seeds"
        )


def _shot_rules(cell: Cell) -> set[str]:
    return {run.metrics.shot_rule for run in cell.runs}


def seeds_text(seeds: Sequence[int]) -> str:
    """Returns seeds in words.

    >>> seeds_text([0, 2])
    'seeds 0, 2'
    """
    return ("seed " if len(seeds) == 1 else "seeds ") + ", ".join(map(str, seeds))


def points(value: float) -> str:
    """Returns percent points: one decimal, and no minus before zero."""
    text = f"{value:.1f}"
    return "0.0" if text == "-0.0" else text
