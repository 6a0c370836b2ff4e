"""Sentences and notes about comparisons with published numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ltbench.analysis.comparison.config_diff import format_diff
from ltbench.analysis.comparison.published_targets import CloseTarget
from ltbench.analysis.comparison.reproduction import Reproduction, Reproductions
from ltbench.analysis.comparison.summary_text import (
    METRIC_PHRASES,
    describe_correction,
    format_p,
    format_points,
)


def reproduction_sentence(one: Reproduction, of: Reproductions) -> str:
    """Returns the result of a comparison with a published number as a sentence.

    Args:
        one: Comparison.
        of: All comparisons that it belongs to.
    """
    which = f"{one.target.value:g} % ({one.target.source}) {METRIC_PHRASES[of.metric]}"
    seeds = "one seed" if len(one.values) == 1 else f"{len(one.values)} seeds"
    seeds = "every seed" if one.cell.seedless else seeds
    measured = f"{one.mean:.2f} over {seeds}, difference {format_points(one.difference, 2)} points"
    if one.test is None:
        return (
            f"{one.name} was not tested against {which}: {measured}; a test needs two seeds or more"
        )
    test = one.test
    interval = f"[{format_points(test.found.low, 2)}, {format_points(test.found.high, 2)}]"
    claim = test.p_beyond if one.verdict == "different" else test.p
    p = format_p(claim)
    sure = f"p {p if p.startswith('<') else f'= {p}'} ({describe_correction('holm', of.tests)})"
    if np.ptp(one.values) == 0:
        sure = "without a test, because all seeds have the same accuracy"
    margin = f"the margin of {of.margin:g}"
    if one.verdict == "equivalent":
        return f"{one.name} reproduces {which}: {measured} {interval} lies within {margin}, {sure}"
    if one.verdict == "different":
        return (
            f"{one.name} does not reproduce {which}: {measured} {interval} lies outside "
            f"{margin}, {sure}"
        )
    inside = -of.margin < test.found.low and test.found.high < of.margin
    outside = test.found.low > of.margin or test.found.high < -of.margin
    alone = "within" if inside else "outside"
    where = (
        f"lies {alone} {margin}, but not after the correction for {of.tests} numbers"
        if inside or outside
        else f"extends beyond {margin}"
    )
    return (
        f"{one.name} does not show equivalence with {which}: {measured} {interval} {where}, "
        f"{sure}; {_describe_missing_seeds(one, of.margin)}"
    )


def reproduction_notes(of: Reproductions) -> Iterator[str]:
    """Yields notes on the validity and the limits of the comparisons."""
    if of.tests:
        yield (
            f"the intervals have a coverage of {100 * of.interval_level:.4g} %, which corresponds "
            f"to two one-sided t tests at {100 * of.level:g} %; they generalise to other seeds on "
            "the same test images, not to other images"
        )
        yield (
            "published numbers are treated as exact, although they are rounded and vary with the "
            "seeds of the paper"
        )
    if of.metric in ("many", "medium", "few"):
        yield (
            "shot groups: many is more than 100 training images, few is fewer than 20; a paper "
            "may use other limits"
        )
    for one in {each.cell.key: each for each in of.each}.values():
        if len(one.values) > 1 and np.ptp(one.values) == 0:
            yield f"{one.name}: every seed has the same accuracy, so no test is possible"
        skipped = sum(run.evaluation.skipped_images for run in one.cell.runs)
        if skipped:
            yield f"{one.name}: {skipped} corrupt test images were skipped"
        if one.cell.spec.data_seed:
            yield (
                f"{one.name}: data_seed is {one.cell.spec.data_seed}, so a randomly drawn subset "
                "is not that of the paper"
            )


def describe_close_target(close: CloseTarget) -> str:
    """Returns a close published number, and its differences from the cell, as a sentence."""
    spec = close.cell.spec
    return (
        f"{spec.method.name} on {spec.dataset.name} with {spec.backbone.name}: "
        f"{close.target.value:g} % ({close.target.source}) differs in "
        f"{format_diff(close.differences)} (published | here)"
    )


def _describe_missing_seeds(one: Reproduction, margin: float) -> str:
    if one.test is not None and one.test.seeds_needed is not None:
        return (
            f"more seeds are needed, about {one.test.seeds_needed} if mean and standard deviation "
            "stay the same"
        )
    if abs(one.difference) < margin:
        return "more seeds are needed"
    return (
        f"the difference is {abs(one.difference):.2f} points, and more seeds are needed to decide "
        "whether it is beyond the margin"
    )
