"""Tables of a comparison for readers: terminal, Markdown, LaTeX and HTML."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ltbench.analysis.comparison.compare_options import CompareOptions
from ltbench.analysis.comparison.pairs import PairComparison
from ltbench.analysis.comparison.summary_text import (
    comparison_notes,
    describe_correction,
    format_p,
    format_points,
)
from ltbench.io.tables import LATEX_PREAMBLE, latex_table, markdown_table
from ltbench.io.text import html_text, markdown_text
from ltbench.metric_names import ACCURACIES

TEXT_HEADS = ("accuracy",)
"""Heads of columns with text; the others hold numbers."""


def overview_table(pair: PairComparison, options: CompareOptions) -> pd.DataFrame:
    """Returns accuracies, difference, interval and p values as texts: a row for each accuracy."""
    heads = ["accuracy", "first %", "second %", "difference", interval_head(options.level), "p"]
    if _corrected_head(options) not in heads:
        heads.append(_corrected_head(options))
    rows = []
    for metric, outcome in pair.outcomes.items():
        row = dict.fromkeys(heads, "") | {"accuracy": ACCURACIES[metric]}
        rows.append(row)
        if outcome is None:
            row |= {"first %": "-", "second %": "-", "difference": "no classes"}
            continue
        evidence = outcome.evidence
        row |= {
            "first %": f"{outcome.first:.1f}",
            "second %": f"{outcome.second:.1f}",
            "difference": format_points(evidence.difference),
            interval_head(options.level): (
                f"{format_points(evidence.low)} to {format_points(evidence.high)}"
            ),
            "p": format_p(evidence.p),
            _corrected_head(options): format_p(outcome.corrected_p),
        }
    return pd.DataFrame(rows)


def significant_rows(pair: PairComparison, options: CompareOptions) -> list[bool]:
    """Returns whether the difference of each accuracy is significant."""
    return [
        outcome is not None and outcome.corrected_p < 1 - options.level
        for outcome in pair.outcomes.values()
    ]


def interval_head(level: float) -> str:
    """Returns the head of a column of intervals."""
    return f"{100 * level:g} % interval"


def describe_images(pair: PairComparison) -> str:
    """Returns the images that a pair was compared on, as text."""
    split = pair.first.cell.spec.split
    return f"{len(pair.first.labels):,} {split} images, shot rule {pair.shot_rule}"


def to_markdown(pair: PairComparison, options: CompareOptions) -> str:
    """Returns the table, the findings and the notes of a pair in GitHub's Markdown."""
    notes = [f"Note: {note}" for note in comparison_notes(pair, options.level)]
    lines = [
        f"### {markdown_text(_title(pair))}",
        "",
        markdown_table(overview_table(pair, options), TEXT_HEADS),
        "",
        *(f"{markdown_text(text)}  " for text in (*options.sentences(pair), *notes)),
    ]
    return "\n".join([*lines, ""])


def to_latex(pairs: Sequence[PairComparison], options: CompareOptions) -> str:
    """Returns a table for each pair for LaTeX with booktabs; significant p values are bold."""
    return LATEX_PREAMBLE + "\n".join(_latex_section(pair, options) for pair in pairs)


def to_html(pair: PairComparison, options: CompareOptions) -> str:
    """Returns the table, the findings and the notes of a pair as HTML."""
    notes = [f"Note: {note}" for note in comparison_notes(pair, options.level)]
    table = overview_table(pair, options).to_html(index=False, border=0)
    lines = "".join(f"<br>{html_text(text)}" for text in (*options.sentences(pair), *notes))
    return f"<div><b>{html_text(_title(pair))}</b>{table}<p>{lines.removeprefix('<br>')}</p></div>"


def _latex_section(pair: PairComparison, options: CompareOptions) -> str:
    table = overview_table(pair, options)
    clear = significant_rows(pair, options)
    tests = [outcome.evidence.test for outcome in pair.outcomes.values() if outcome]
    caption = [
        _title(pair),
        *dict.fromkeys(f"Test: {test}" for test in tests),
        *(["Bold: a significant difference"] if any(clear) else []),
        *(f"Note: {note}" for note in comparison_notes(pair, options.level, seeds_alone=False)),
    ]
    bold = [(row, table.columns[-1]) for row, leads in enumerate(clear) if leads]
    return latex_table(table, TEXT_HEADS, f"{'. '.join(caption)}.", bold)


def _title(pair: PairComparison) -> str:
    dataset = pair.first.cell.spec.dataset.title
    return f"{pair.first.name} against {pair.second.name}: {dataset}, {describe_images(pair)}"


def _corrected_head(options: CompareOptions) -> str:
    """Returns the head of the last column: of the p values that the findings rest on."""
    if options.correction == "none" or options.comparisons <= 1:
        return "p"
    return f"p ({describe_correction(options.correction, options.comparisons)})"
