"""Output of `ltbench compare`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ltbench.analysis.comparison.across_datasets import AcrossDatasets
from ltbench.analysis.comparison.pairs import (
    ImageTests,
    MetricComparison,
    PairComparison,
    SeedTests,
)
from ltbench.analysis.comparison.seed_predictions import SeedPredictions
from ltbench.analysis.comparison.summary_text import (
    comparison_notes,
    comparison_sentence,
    describe_correction,
    format_p,
    format_points,
    rope_sentence,
)
from ltbench.analysis.stats.multiplicity import Correction
from ltbench.cli.output import plain_table, print_json
from ltbench.io.console import console
from ltbench.metric_names import ACCURACIES
from ltbench.storage.results import SkippedRun

SCHEMA = 1


@dataclass(frozen=True)
class CompareOptions:
    """Options of a comparison.

    Args:
        correction: Correction of p values.
        comparisons: Number of comparisons that p values are corrected for.
        level: Confidence level, between 0 and 1.
        rope: Half width of the region of practical equivalence in percent points, or None.
    """

    correction: Correction
    comparisons: int
    level: float
    rope: float | None

    def sentences(self, pair: PairComparison) -> list[str]:
        """Returns the findings about a pair as sentences."""
        sentences = [
            comparison_sentence(pair, metric, self.correction, self.comparisons, self.level)
            for metric in pair.outcomes
        ]
        if self.rope is not None:
            outcomes = [outcome for outcome in pair.outcomes.values() if outcome is not None]
            bayesian = [rope_sentence(pair, outcome, self.rope) for outcome in outcomes]
            sentences += [text for text in bayesian if text is not None]
        return sentences


def print_pairs(
    pairs: Sequence[PairComparison],
    skipped: Sequence[SkippedRun],
    options: CompareOptions,
    *,
    json: bool,
) -> None:
    """Prints comparisons: tables, sentences and notes."""
    if json:
        print_json(
            {
                "schema": SCHEMA,
                "level": options.level,
                "correction": options.correction,
                "comparisons": options.comparisons,
                "pairs": [_pair_json(pair, options) for pair in pairs],
                "skipped": [_skipped_json(item) for item in skipped],
            }
        )
        return
    out = console()
    sample = pairs[0].first
    spec = sample.cell.spec
    out.print(
        f"\n[bold]{spec.dataset.name}[/], {len(sample.labels):,} {spec.split} images, shot rule "
        f"{pairs[0].shot_rule}"
    )
    for pair in pairs:
        _print_pair(out, pair, options)
    _print_notes(out, pairs, options.level)


def _print_pair(out: Console, pair: PairComparison, options: CompareOptions) -> None:
    """Prints the findings about a pair: accuracies, tests, sentences."""
    out.print(f"\n[bold]{escape(pair.first.name)}[/] against [bold]{escape(pair.second.name)}[/]")
    out.print(_overview(pair, options))
    outcomes = [outcome for outcome in pair.outcomes.values() if outcome]
    _print_seeds(out, pair, outcomes)
    _print_images(out, outcomes, options.level)
    out.print()
    for text in options.sentences(pair):
        out.print(escape(text), soft_wrap=True)


def _overview(pair: PairComparison, options: CompareOptions) -> Table:
    table = plain_table("accuracy")
    several = options.correction != "none" and options.comparisons > 1
    heads = ["first %", "second %", "difference", f"{100 * options.level:g} % interval", "p"]
    if several:
        heads.append(f"p ({describe_correction(options.correction, options.comparisons)})")
    for head in heads:
        table.add_column(head, justify="right")
    for metric, outcome in pair.outcomes.items():
        if outcome is None:
            table.add_row(ACCURACIES[metric], "-", "-", "no classes", "", "", "")
            continue
        evidence = outcome.evidence
        row = [f"{outcome.first:.1f}", f"{outcome.second:.1f}", format_points(evidence.difference)]
        row += [
            f"{format_points(evidence.low)} to {format_points(evidence.high)}",
            format_p(evidence.p),
        ]
        if several:
            row.append(format_p(outcome.corrected_p))
        clear = outcome.corrected_p < 1 - options.level
        row[-1] = f"[bold]{row[-1]}[/]" if clear else row[-1]
        table.add_row(ACCURACIES[metric], *row)
    return table


def _print_seeds(out: Console, pair: PairComparison, outcomes: Sequence[MetricComparison]) -> None:
    """Prints the tests on seeds."""
    table = plain_table(f"{len(pair.seeds)} seeds alone")
    for head in ("sd of differences", "t test p", "Wilcoxon p", "d_z", "rank-biserial"):
        table.add_column(head, justify="right")
    for outcome in outcomes:
        across = outcome.evidence.across_seeds
        if across is not None:
            table.add_row(
                ACCURACIES[outcome.metric],
                f"{across.t.deviation:.2f}",
                "-" if across.t.p is None else format_p(across.t.p),
                format_p(across.wilcoxon.p),
                "-" if across.cohens_dz is None else f"{across.cohens_dz:.2f}",
                f"{across.rank_biserial:.2f}",
            )
    if table.row_count:
        out.print(f"test: {_tests(outcomes, SeedTests)}\n")
        out.print(table)


def _print_images(out: Console, outcomes: Sequence[MetricComparison], level: float) -> None:
    """Prints the numbers of images on which two models differ."""
    table = plain_table("images")
    heads = ("only first right", "only second right", "McNemar p", "odds ratio")
    for head in (*heads, f"{100 * level:g} % interval"):
        table.add_column(head, justify="right")
    for outcome in outcomes:
        found = outcome.evidence.on_images
        if found is not None:
            odds, counts = found.odds_ratio, found.mcnemar
            table.add_row(
                ACCURACIES[outcome.metric],
                f"{counts.only_first:,}",
                f"{counts.only_second:,}",
                format_p(counts.p),
                "-" if odds.ratio is None else _odds(odds.ratio),
                "-" if odds.ratio is None else f"{_odds(odds.low)} to {_odds(odds.high)}",
            )
    if table.row_count:
        out.print(f"test: {_tests(outcomes, ImageTests)}\n")
        out.print(table)


def _tests(outcomes: Sequence[MetricComparison], kind: type[SeedTests | ImageTests]) -> str:
    """Returns the names of the tests of the overview's p values."""
    named = [
        outcome.evidence.test
        for outcome in outcomes
        if isinstance(outcome.evidence.across_seeds or outcome.evidence.on_images, kind)
    ]
    return "; ".join(dict.fromkeys(named))


def _odds(value: float) -> str:
    return "infinite" if math.isinf(value) else f"{value:.2f}"


def _print_notes(out: Console, pairs: Sequence[PairComparison], level: float) -> None:
    """Prints each note once, with its pairs where it does not concern all of them."""
    about: dict[str, list[str]] = {}
    for pair in pairs:
        for note in comparison_notes(pair, level):
            about.setdefault(note, []).append(f"{pair.first.name} and {pair.second.name}")
    if about:
        out.print()
    for note, named in about.items():
        whose = f" ({'; '.join(named)})" if len(named) < len(pairs) else ""
        out.print(f"[yellow]note[/] {escape(note + whose)}", soft_wrap=True)


def _pair_json(pair: PairComparison, options: CompareOptions) -> dict[str, Any]:
    return {
        "first": _sample_json(pair.first),
        "second": _sample_json(pair.second),
        "seeds": list(pair.seeds),
        "images": len(pair.first.labels),
        "shot_rule": pair.shot_rule,
        "outcomes": {
            metric: None if outcome is None else _finite(dataclasses.asdict(outcome))
            for metric, outcome in pair.outcomes.items()
        },
        "sentences": options.sentences(pair),
        "notes": list(comparison_notes(pair, options.level)),
    }


def _sample_json(sample: SeedPredictions) -> dict[str, Any]:
    return {
        "name": sample.name,
        "inference": sample.inference,
        "seeds": list(sample.cell.seeds),
        "runs": [str(run.path) for run in sample.cell.runs],
    }


def _skipped_json(item: SkippedRun) -> dict[str, str]:
    return {"path": str(item.path), "reason": item.reason}


def _finite(value: Any) -> Any:
    """Returns a value with None for infinity and NaN, which JSON does not have."""
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_across(
    found: Sequence[AcrossDatasets],
    skipped: Sequence[SkippedRun],
    correction: Correction,
    level: float,
    *,
    json: bool,
) -> None:
    """Prints comparisons over data sets."""
    if json:
        print_json(
            {
                "schema": SCHEMA,
                "level": level,
                "correction": correction,
                "across_datasets": [_across_json(each) for each in found],
                "skipped": [_skipped_json(item) for item in skipped],
            }
        )
        return
    out = console()
    for each in found:
        _print_across(out, each, correction, level)


def _print_across(
    out: Console, found: AcrossDatasets, correction: Correction, level: float
) -> None:
    order = np.argsort(found.ranks.ranks, kind="stable").tolist()
    table = plain_table(f"{ACCURACIES[found.metric]} accuracy, %")
    for place in order:
        table.add_column(escape(found.methods[place]), justify="right")
    for dataset, scores in zip(found.datasets, found.scores, strict=True):
        table.add_row(escape(dataset), *(f"{scores[place]:.1f}" for place in order))
    table.add_row("average rank", *(f"{found.ranks.ranks[place]:.2f}" for place in order))
    out.print("\n", table, sep="")
    if found.friedman is not None:
        out.print(
            f"Friedman: chi-squared {found.friedman.statistic:.2f}, "
            f"p {format_p(found.friedman.p)}; Iman and Davenport: p {format_p(found.friedman.f_p)}",
            soft_wrap=True,
        )
    out.print(
        f"Nemenyi: average ranks that differ by {found.ranks.difference:.2f} or more differ "
        f"significantly ({100 * level:g} %)",
        soft_wrap=True,
    )
    for group in found.ranks.groups:
        out.print(f"  not distinguished: {escape(', '.join(found.methods[i] for i in group))}")
    k = len(found.methods)
    pairs = [(i, j) for at, i in enumerate(order) for j in order[at + 1 :]]
    out.print(f"Wilcoxon ({describe_correction(correction, k * (k - 1) // 2)}):")
    for i, j in pairs:
        names = escape(f"{found.methods[i]} and {found.methods[j]}")
        out.print(f"  {names}: p {format_p(found.signed_rank_p[i, j])}", soft_wrap=True)
    for i, j in pairs if found.posteriors else ():
        posterior = found.posteriors[min(i, j), max(i, j)]
        shares = [posterior.first, posterior.equivalent, posterior.second][:: 1 if i < j else -1]
        first, second = escape(found.methods[i]), escape(found.methods[j])
        out.print(
            f"  {first} better {shares[0]:.2f}, equivalent {shares[1]:.2f}, {second} better "
            f"{shares[2]:.2f} (Bayesian signed-rank)",
            soft_wrap=True,
        )
    if found.min_signed_rank_p >= 1 - level:
        out.print(
            f"[yellow]note[/] {len(found.datasets)} data sets are too few for that number "
            f"of Wilcoxon tests: the smallest possible p value is {found.min_signed_rank_p:.4g}",
            soft_wrap=True,
        )
    if found.left_out:
        out.print(
            "[yellow]note[/] left out, because a method has no run on it: "
            + escape("; ".join(found.left_out)),
            soft_wrap=True,
        )


def _across_json(found: AcrossDatasets) -> dict[str, Any]:
    return {
        "metric": found.metric,
        "methods": list(found.methods),
        "datasets": list(found.datasets),
        "left_out": list(found.left_out),
        "scores": found.scores.tolist(),
        "average_ranks": found.ranks.ranks.tolist(),
        "critical_difference": found.ranks.difference,
        "groups": [list(group) for group in found.ranks.groups],
        "nemenyi_p": found.ranks.p.tolist(),
        "friedman": None if found.friedman is None else _finite(dataclasses.asdict(found.friedman)),
        "wilcoxon_p": found.signed_rank_p.tolist(),
        "wilcoxon_min_signed_rank_p": found.min_signed_rank_p,
        "posteriors": [
            {"first": i, "second": j, **dataclasses.asdict(posterior)}
            for (i, j), posterior in found.posteriors.items()
        ],
    }
