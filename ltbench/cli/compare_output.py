"""Output of `ltbench compare`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from ltbench.analysis.comparison import across_tables, comparison_tables
from ltbench.analysis.comparison.across_datasets import AcrossDatasets
from ltbench.analysis.comparison.compare_options import CompareOptions
from ltbench.analysis.comparison.comparison import Comparison
from ltbench.analysis.comparison.pairs import (
    ImageTests,
    MetricComparison,
    PairComparison,
    SeedTests,
)
from ltbench.analysis.comparison.seed_predictions import SeedPredictions
from ltbench.analysis.comparison.summary_text import comparison_notes, format_p
from ltbench.analysis.comparison.verdict import TIE, better_names, verdict
from ltbench.analysis.stats.multiplicity import Correction
from ltbench.cli.output import print_json
from ltbench.cli.table_output import Format
from ltbench.io.console import console, print_paragraph
from ltbench.io.fitted_table import FittedTable
from ltbench.metric_names import ACCURACIES
from ltbench.storage.results import SkippedRun

SCHEMA = 1
DETAILS_HINT = "--details shows every test, and a sentence for each accuracy"


def print_comparisons(
    comparisons: Sequence[Comparison],
    skipped: Sequence[SkippedRun],
    chosen: Format,
    *,
    details: bool,
) -> None:
    """Prints comparisons that were made together: tables, sentences and notes.

    Args:
        comparisons: Comparisons.
        skipped: Run directories that were skipped.
        chosen: Format of the output.
        details: Whether a terminal shows all tests and sentences, besides the answer.
    """
    pairs, options = [each.pair for each in comparisons], comparisons[0].options
    if chosen == "markdown":
        typer.echo("\n".join(each.to_markdown() for each in comparisons), nl=False)
        return
    if chosen == "latex":
        typer.echo(comparison_tables.to_latex(pairs, options), nl=False)
        return
    if chosen == "json":
        print_json(
            {
                "schema": SCHEMA,
                "level": options.level,
                "correction": options.correction,
                "comparisons": options.comparisons,
                "pairs": [_pair_json(each) for each in comparisons],
                "skipped": [_skipped_json(item) for item in skipped],
            }
        )
        return
    out = console()
    first = pairs[0]
    where = f"[bold]{escape(first.first.cell.spec.dataset.title)}[/], "
    print_paragraph(out, f"\n{where}{escape(comparison_tables.describe_images(first))}")
    for each in comparisons:
        _print_pair(out, each, details=details)
    _print_notes(out, pairs, options.level, details=details)
    if not details:
        out.print(f"[dim]{DETAILS_HINT}[/]")


def _print_pair(out: Console, comparison: Comparison, *, details: bool) -> None:
    """Prints the findings about a pair: the answer and its table; with details all tests."""
    pair, options = comparison.pair, comparison.options
    out.print()
    print_paragraph(out, f"[bold]{escape(verdict(pair, options, comparison.metric))}[/]")
    out.print(_answers(pair, options))
    if not details:
        return
    out.print()
    out.print(_overview(pair, options))
    outcomes = [outcome for outcome in pair.outcomes.values() if outcome]
    _print_seeds(out, pair, outcomes)
    _print_images(out, outcomes, options.level)
    out.print()
    for text in options.sentences(pair):
        print_paragraph(out, escape(text))


def _answers(pair: PairComparison, options: CompareOptions) -> FittedTable:
    """Returns the table of the answer: accuracies, difference and the better one."""
    texts = comparison_tables.overview_table(pair, options)
    table = FittedTable(texts.columns[0])
    heads = [*texts.columns[1:5], comparison_tables.corrected_head(options)]
    for head in heads:
        table.add_column(head, right=True)
    table.add_column("better")
    better = better_names(pair, options)
    rows = texts[[texts.columns[0], *heads]].itertuples(index=False, name=None)
    for cells, name in zip(rows, better, strict=True):
        table.add_row(*cells, escape(name) if name == TIE else f"[bold]{escape(name)}[/]")
    return table


def _overview(pair: PairComparison, options: CompareOptions) -> FittedTable:
    """Returns the table of p values, before and after their correction."""
    texts = comparison_tables.overview_table(pair, options)
    table = FittedTable("p values")
    for head in texts.columns[5:]:
        table.add_column(head, right=True)
    for cells in texts[[texts.columns[0], *texts.columns[5:]]].itertuples(index=False, name=None):
        table.add_row(*cells)
    return table


def _print_seeds(out: Console, pair: PairComparison, outcomes: Sequence[MetricComparison]) -> None:
    """Prints the tests on seeds."""
    table = FittedTable(f"{len(pair.seeds)} seeds alone")
    for head in ("sd of differences", "t test p", "Wilcoxon p", "d_z", "rank-biserial"):
        table.add_column(head, right=True)
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
    if table.rows:
        out.print(f"test: {_tests(outcomes, SeedTests)}\n")
        out.print(table)


def _print_images(out: Console, outcomes: Sequence[MetricComparison], level: float) -> None:
    """Prints the numbers of images on which two models differ."""
    table = FittedTable("images")
    heads = ("only first right", "only second right", "McNemar p", "odds ratio")
    for head in (*heads, comparison_tables.interval_head(level)):
        table.add_column(head, right=True)
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
    if table.rows:
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


def _print_notes(
    out: Console, pairs: Sequence[PairComparison], level: float, *, details: bool
) -> None:
    """Prints each note once, with its pairs where it does not concern all of them."""
    about: dict[str, list[str]] = {}
    for pair in pairs:
        for note in comparison_notes(pair, level, seeds_alone=details):
            about.setdefault(note, []).append(f"{pair.first.name} and {pair.second.name}")
    if about:
        out.print()
    for note, named in about.items():
        whose = f" ({'; '.join(named)})" if len(named) < len(pairs) else ""
        print_paragraph(out, f"[yellow]note[/] {escape(note + whose)}")


def _pair_json(comparison: Comparison) -> dict[str, Any]:
    pair = comparison.pair
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
        "sentences": comparison.sentences,
        "notes": comparison.notes,
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
    chosen: Format,
    *,
    details: bool,
) -> None:
    """Prints comparisons over data sets; on a terminal all tests only with details."""
    if chosen in ("markdown", "latex"):
        write = across_tables.to_markdown if chosen == "markdown" else across_tables.to_latex
        typer.echo(write(found, correction, level), nl=False)
        return
    if chosen == "json":
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
        _print_across(out, each, correction, level, details=details)
    if not details:
        out.print("[dim]--details shows every test[/]")


def _print_across(
    out: Console, found: AcrossDatasets, correction: Correction, level: float, *, details: bool
) -> None:
    out.print()
    print_paragraph(out, f"[bold]{escape(across_tables.across_verdict(found))}[/]")
    texts = across_tables.score_table(found)
    table = FittedTable(texts.columns[0])
    for method in texts.columns[1:]:
        table.add_column(method, right=True)
    for cells in texts.itertuples(index=False, name=None):
        table.add_row(*map(escape, cells))
    out.print(table)
    for text in across_tables.across_sentences(found, correction, level) if details else ():
        print_paragraph(out, escape(text))
    for note in across_tables.across_notes(found, level):
        print_paragraph(out, f"[yellow]note[/] {escape(note)}")


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
