"""Sentences and notes about comparisons of two cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from ltbench.analysis.comparison.config_diff import diff_cells, format_diff
from ltbench.analysis.comparison.environments import environment_notes
from ltbench.analysis.comparison.pairs import MetricComparison, PairComparison
from ltbench.analysis.comparison.seed_predictions import SeedPredictions
from ltbench.analysis.stats.multiplicity import Correction
from ltbench.analysis.stats.seed_tests import min_signed_rank_p
from ltbench.metric_names import ACCURACIES
from ltbench.storage.results import Cell

METRIC_PHRASES = {
    "accuracy": "in overall accuracy",
    "mean_class": "in mean-class accuracy",
    "many": "on many-shot classes",
    "medium": "on medium-shot classes",
    "few": "on few-shot classes",
}
"""Name of an accuracy -> its phrase in a sentence."""
MultipleTest = Correction | Literal["max-t"]
"""Correction of p values, or a test of all pairs at once."""
CORRECTION_NAMES = {
    "holm": "Holm",
    "bh": "Benjamini-Hochberg",
    "none": "not corrected",
    "max-t": "max-T",
}
"""Correction of p values -> its name in tables and sentences."""


def format_p(p: float) -> str:
    """Returns a p value as papers print it.

    >>> format_p(0.0412), format_p(0.00002), format_p(0.62)
    ('0.041', '< 0.001', '0.62')
    """
    if p < 0.001:
        return "< 0.001"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def describe_correction(correction: MultipleTest, comparisons: int) -> str:
    """Returns the correction of p values as text.

    >>> describe_correction("holm", 5)
    'Holm, 5 comparisons'
    """
    if comparisons == 1:
        return "one comparison"
    return f"{CORRECTION_NAMES[correction]}, {comparisons} comparisons"


def comparison_sentence(
    pair: PairComparison, metric: str, correction: MultipleTest, comparisons: int, level: float
) -> str:
    """Returns the result of comparing one accuracy as a sentence.

    Args:
        pair: Comparison of two cells.
        metric: Name of the accuracy.
        correction: Correction of the p values.
        comparisons: Number of comparisons that p values are corrected for.
        level: Confidence level, 0 to 1.
    """
    # With one common seed the result holds for the two trained models, not for the methods.
    first, second = (model_name(pair, sample) for sample in (pair.first, pair.second))
    where = METRIC_PHRASES[metric]
    outcome = pair.outcomes[metric]
    if outcome is None:
        return f"{metric}-shot: no classes with test images, no comparison"
    evidence = outcome.evidence
    p = format_p(outcome.corrected_p)
    p = f"p {p}" if p.startswith("<") else f"p = {p}"
    sure = f"{p} ({describe_correction(correction, comparisons)})"
    better = evidence.difference > 0
    low, high = (evidence.low, evidence.high) if better else (-evidence.high, -evidence.low)
    if outcome.corrected_p < 1 - level:
        return (
            f"{first} is {'better' if better else 'worse'} than {second} {where} by "
            f"{abs(evidence.difference):.1f} points [{low:.1f}, {high:.1f}], {sure}"
        )
    if evidence.p < 1 - level:  # explains an interval that excludes 0
        sure += f", uncorrected {format_p(evidence.p)}"
    if evidence.same_images:
        return (
            f"no difference was found between {first} and {second} {where}: they are correct on "
            "the same images"
        )
    difference, low_text, high_text = (
        format_points(value) for value in (evidence.difference, evidence.low, evidence.high)
    )
    return (
        f"no difference was found between {first} and {second} {where}: "
        f"{difference} points [{low_text}, {high_text}], "
        f"{sure}; {describe_detectable(evidence.detectable)}"
    )


def model_name(pair: PairComparison, sample: SeedPredictions) -> str:
    """Returns the name of a cell, with its seed where the result is of one trained model."""
    if pair.generalises or sample.cell.seedless:
        return sample.name
    return f"{sample.name} with seed {pair.seeds[0]}"


def describe_detectable(detectable: float) -> str:
    """Returns the smallest detectable difference as text.

    Args:
        detectable: Smallest true difference, in percent points, that one comparison detects with
            80 % power.

    >>> describe_detectable(2.24)
    'a true difference of 2.2 points would be found 4 times in 5 by a single comparison'
    """
    return (
        f"a true difference of {detectable:.1f} points would be found 4 times in 5 by a single "
        "comparison"
    )


def rope_sentence(pair: PairComparison, outcome: MetricComparison, rope: float) -> str | None:
    """Returns the result of the Bayesian signed-rank test as a sentence; None without the test."""
    across = outcome.evidence.across_seeds
    posterior = None if across is None else across.posterior
    if posterior is None:
        return None
    return (
        f"{METRIC_PHRASES[outcome.metric]}, Bayesian signed-rank test on {len(pair.seeds)} seeds: "
        f"{pair.first.name} is better by more than {rope:g} points with probability "
        f"{posterior.first:.2f}, {pair.second.name} with probability {posterior.second:.2f}, and "
        f"they differ by {rope:g} points or less with probability {posterior.equivalent:.2f}"
    )


def comparison_notes(
    pair: PairComparison, level: float, *, seeds_alone: bool = True, intervals: bool = True
) -> Iterator[str]:
    """Yields notes on the validity and the limits of a comparison.

    Args:
        pair: Comparison of two cells.
        level: Confidence level, 0 to 1.
        seeds_alone: Whether the tests across seeds are shown.
        intervals: Whether the intervals are shown beside corrected p values.
    """
    first, second = pair.first, pair.second
    yield from _seed_notes(pair)
    if seeds_alone and len(pair.seeds) > 1 and min_signed_rank_p(len(pair.seeds)) >= 1 - level:
        yield (
            f"{len(pair.seeds)} seeds are too few for Wilcoxon's test: its smallest possible p is "
            f"{min_signed_rank_p(len(pair.seeds)):.4g}"
        )
    specs = first.cell.spec, second.cell.spec
    unlike = diff_cells([first.cell, second.cell])
    if specs[0].split == "val":
        yield "these are accuracies on the validation split"
    if "select" in unlike:
        kept = {"last": "after the last epoch", "val": "of the epoch that is best on val"}
        rules_of = [
            f"{s.name} uses the weights {kept[s.cell.spec.select]}" for s in (first, second)
        ]
        yield "the selection rules differ: " + ", ".join(rules_of)
    if first.inference != second.inference:
        inferences = [f"{s.name} was tested with {s.inference}" for s in (first, second)]
        yield "the inferences differ: " + ", ".join(inferences)
    if "data_seed" in unlike:
        drawn = " and ".join(unlike["data_seed"])
        yield f"the cells were trained on different images: data_seed {drawn}"
    rules = [_shot_rules(sample.cell) for sample in (first, second)]
    if len(rules[0] | rules[1]) > 1:
        named = " and ".join(sorted(rules[0] | rules[1]))
        yield (
            f"the results were stored with the shot rules {named}; the comparison uses "
            f"{pair.shot_rule}"
        )
    yield from environment_notes({s.name: s.cell.parts("environment") for s in (first, second)})
    noted = {"method", "select", "data_seed", "inference"}
    others = {key: values for key, values in unlike.items() if key not in noted}
    if others:
        besides = "apart from the method, " if "method" in unlike else ""
        yield f"{besides}the cells differ in {format_diff(others)}"
    same = [outcome for outcome in pair.outcomes.values() if outcome and outcome.same_as]
    for outcome in same:
        yield (
            f"{outcome.metric} equals {outcome.same_as} on these images; both count as one "
            "comparison"
        )
    if intervals:
        yield from _interval_notes(pair, level)


def _interval_notes(pair: PairComparison, level: float) -> Iterator[str]:
    """Yields a note where an interval excludes 0 and the correction makes a tie of the pair."""
    apart = [
        ACCURACIES[outcome.metric]
        for outcome in pair.outcomes.values()
        if outcome is not None
        and outcome.corrected_p >= 1 - level
        and not outcome.evidence.low <= 0 <= outcome.evidence.high
    ]
    if apart:
        yield (
            "an interval is that of a single comparison: for "
            f"{' and '.join(apart)} accuracy it excludes 0, but the corrected p value finds no "
            "difference"
        )


def _seed_notes(pair: PairComparison) -> Iterator[str]:
    used = format_seeds(pair.seeds)
    seedless = [sample for sample in (pair.first, pair.second) if sample.cell.seedless]
    for sample in seedless:
        yield f"no seed changes {sample.name}: it has one run, without variance of seeds"
    for sample in (pair.first, pair.second) if not seedless else ():
        left = [seed for seed in sample.cell.seeds if seed not in pair.seeds]
        if left:
            unused = format_seeds(left)
            yield f"{sample.name} also has {unused}, not used: both cells have only {used}"
    if not pair.generalises:
        trained = next((s.name for s in (pair.first, pair.second) if not s.cell.seedless), "")
        models = f"this trained model of {trained}" if seedless else "these two trained models"
        seed = "seed" if seedless else "common seed"
        yield f"one {seed} ({pair.seeds[0]}): the result holds for {models}, not for other seeds"


def _shot_rules(cell: Cell) -> set[str]:
    return {run.metrics.shot_rule for run in cell.runs}


def format_seeds(seeds: Sequence[int]) -> str:
    """Returns seeds as text.

    >>> format_seeds([0, 2])
    'seeds 0, 2'
    """
    return ("seed " if len(seeds) == 1 else "seeds ") + ", ".join(map(str, seeds))


def format_points(value: float, decimals: int = 1) -> str:
    """Returns percent points without a minus sign before zero.

    >>> format_points(-0.04), format_points(-0.04, decimals=2)
    ('0.0', '-0.04')
    """
    return f"{value:z.{decimals}f}"
