"""What was found about published numbers, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ltbench.analysis.comparison.config_diff import in_words
from ltbench.analysis.comparison.published_targets import Close
from ltbench.analysis.comparison.reproduction import Reproduction, Reproductions
from ltbench.analysis.comparison.summary_text import WHERE, correction_text, p_text


def sentence(one: Reproduction, of: Reproductions) -> str:
    """Returns what was found about a number."""
    which = f"{one.target.value:g} % ({one.target.source}) {WHERE[of.metric]}"
    seeds = "one seed" if len(one.values) == 1 else f"{len(one.values)} seeds"
    measured = f"{one.mean:.2f} over {seeds}, difference {signed(one.difference)} points"
    if one.test is None:
        return (
            f"{one.name} was not tested against {which}: {measured}; one seed says nothing about "
            "others: two seeds at least are needed, and more to be sure"
        )
    test = one.test
    interval = f"[{signed(test.found.low)}, {signed(test.found.high)}]"
    claim = test.p_beyond if one.verdict == "different" else test.p
    p = p_text(claim)
    sure = f"p {p if p.startswith('<') else f'= {p}'} ({correction_text('holm', of.tests)})"
    if np.ptp(one.values) == 0:
        sure = "without a test, because every seed measured the same"
    margin = f"the margin of {of.margin:g}"
    if one.verdict == "equivalent":
        return f"{one.name} reproduces {which}: {measured} {interval} lies within {margin}, {sure}"
    if one.verdict == "different":
        return (
            f"{one.name} does not reproduce {which}: {measured} {interval} lies outside of "
            f"{margin}, {sure}"
        )
    inside = -of.margin < test.found.low and test.found.high < of.margin
    outside = test.found.low > of.margin or test.found.high < -of.margin
    alone = "within" if inside else "outside of"
    where = (
        f"would by itself lie {alone} {margin}, but not among {of.tests} numbers"
        if inside or outside
        else f"leaves {margin}"
    )
    return (
        f"{one.name} does not show equivalence with {which}: {measured} {interval} {where}, "
        f"{sure}; {_what_is_needed(one, of.margin)}"
    )


def notes(of: Reproductions) -> Iterator[str]:
    """Yields what a reader must know besides the numbers."""
    if of.tests:
        yield (
            f"the intervals are those at {100 * of.interval_level:.4g} % that belong to two "
            f"one-sided t tests at {100 * of.level:g} %: they speak of other seeds on the same "
            "test images, not of other images"
        )
        yield (
            "a published number is taken as exact, though it is rounded and a paper's own seeds "
            "would vary, too"
        )
    if of.metric in ("many", "medium", "few"):
        yield (
            "shot groups: many is more than 100 training images, few is fewer than 20; a paper "
            "may have drawn the lines elsewhere"
        )
    for one in {each.cell.key: each for each in of.each}.values():
        if len(one.values) > 1 and np.ptp(one.values) == 0:
            yield f"{one.name}: every seed has the same accuracy, so there is no chance to test"
        skipped = sum(run.evaluation.skipped_images for run in one.cell.runs)
        if skipped:
            yield f"{one.name}: {skipped} corrupt test images were skipped, so they are not all"
        if one.cell.spec.data_seed:
            yield (
                f"{one.name}: data_seed {one.cell.spec.data_seed}, so a subset that is drawn is "
                "not the paper's"
            )


def close_text(close: Close) -> str:
    """Returns in what a published number is about another run: its choice, then the run's."""
    spec = close.cell.spec
    return (
        f"{spec.method.name} on {spec.dataset.name} with {spec.backbone.name}: "
        f"{close.target.value:g} % ({close.target.source}) differs in {in_words(close.unlike)} "
        "(published | here)"
    )


def _what_is_needed(one: Reproduction, margin: float) -> str:
    if one.test is not None and one.test.seeds_needed is not None:
        return (
            f"more seeds are needed, about {one.test.seeds_needed} if mean and spread stay as "
            "they are"
        )
    if abs(one.difference) < margin:
        return "more seeds are needed"
    return (
        f"the difference is {abs(one.difference):.2f} points, and more seeds are needed to tell "
        "whether it is real"
    )


def signed(value: float) -> str:
    """Returns percent points: two decimals for margins below one, and no minus before zero."""
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text
