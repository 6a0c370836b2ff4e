"""Tables of a comparison for readers: terminal, Markdown, LaTeX and HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from ltbench.analysis.comparison.compare_options import CompareOptions
from ltbench.analysis.comparison.pairs import PairComparison
from ltbench.analysis.comparison.summary_text import (
    CORRECTION_NAMES,
    comparison_notes,
    format_p,
    format_points,
)
from ltbench.analysis.comparison.verdict import TIE, better_names
from ltbench.io.latex import LatexTable, latex_tables
from ltbench.io.tables import markdown_table
from ltbench.io.text import html_text, markdown_text
from ltbench.metric_names import ACCURACIES

TEXT_HEADS = ("accuracy, %",)
"""Heads of columns with text; the others hold numbers."""
_MAX_HEAD_CHARACTERS = 16  # of a name that is the head of a column


def overview_table(pair: PairComparison, options: CompareOptions) -> pd.DataFrame:
    """Returns accuracies, difference, interval and p values as texts: a row for each accuracy."""
    first, second = accuracy_heads(pair)
    heads = [*TEXT_HEADS, first, second, "difference", interval_head(options.level), "p"]
    if corrected_head(options) not in heads:
        heads.append(corrected_head(options))
    rows = []
    for metric, outcome in pair.outcomes.items():
        row = dict.fromkeys(heads, "") | {TEXT_HEADS[0]: ACCURACIES[metric]}
        rows.append(row)
        if outcome is None:
            row |= {first: "-", second: "-", "difference": "no classes"}
            continue
        evidence = outcome.evidence
        row |= {
            first: f"{outcome.first:.1f}",
            second: f"{outcome.second:.1f}",
            "difference": format_points(evidence.difference),
            interval_head(options.level): (
                f"{format_points(evidence.low)} to {format_points(evidence.high)}"
            ),
            "p": format_p(evidence.p),
            corrected_head(options): format_p(outcome.corrected_p),
        }
    return pd.DataFrame(rows)


def accuracy_heads(pair: PairComparison) -> tuple[str, str]:
    """Returns the heads of the columns of both accuracies: their names, if these are short."""
    names = pair.first.name, pair.second.name
    reserved = {*TEXT_HEADS, "difference", "p"}
    if max(map(len, names)) > _MAX_HEAD_CHARACTERS or reserved & {*names}:
        return "first", "second"
    return names


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
    """Returns a table for each pair for LaTeX: booktabs, with notes below (threeparttable).

    The higher accuracy is bold, and the other one is underlined if they do not differ
    significantly.
    """
    return latex_tables([_latex_table(pair, options) for pair in pairs])


def to_html(pair: PairComparison, options: CompareOptions) -> str:
    """Returns the table, the findings and the notes of a pair as HTML."""
    notes = [f"Note: {note}" for note in comparison_notes(pair, options.level)]
    table = overview_table(pair, options).to_html(index=False, border=0)
    lines = "".join(f"<br>{html_text(text)}" for text in (*options.sentences(pair), *notes))
    return f"<div><b>{html_text(_title(pair))}</b>{table}<p>{lines.removeprefix('<br>')}</p></div>"


def _latex_table(pair: PairComparison, options: CompareOptions) -> LatexTable:
    table = overview_table(pair, options)
    heads = table.columns[1:3]
    bold: list[tuple[int, str]] = []
    tied: list[tuple[int, str]] = []
    for row, (outcome, better) in enumerate(
        zip(pair.outcomes.values(), better_names(pair, options), strict=True)
    ):
        if outcome is not None:
            higher = 0 if outcome.evidence.difference > 0 else 1
            bold.append((row, heads[higher]))
            if better == TIE:
                tied.append((row, heads[1 - higher]))
    tests = [outcome.evidence.test for outcome in pair.outcomes.values() if outcome]
    first, second = pair.first.name, pair.second.name
    names = [] if heads[0] == first else [f"First: {first}; second: {second}."]
    notes = [
        *names,
        f"Data: {describe_images(pair)}; difference: first minus second, in percent points.",
        *dict.fromkeys(f"Test: {test}." for test in tests),
        *_correction_note(options),
        *(["Bold: the higher accuracy."] if bold else []),
        *(["Underlined: a statistical tie, no significant difference."] if tied else []),
        *(f"{note}." for note in comparison_notes(pair, options.level, seeds_alone=False)),
    ]
    dataset = pair.first.cell.spec.dataset.name
    return LatexTable(
        texts=table,
        left=TEXT_HEADS,
        caption=f"{first} against {second} on {dataset}, accuracy in %.",
        label=f"{first} {second} {dataset}",
        notes=notes,
        bold=bold,
        underlined=tied,
    )


def _correction_note(options: CompareOptions) -> Iterator[str]:
    head = corrected_head(options)
    if head != "p":
        yield f"{head}: corrected for {options.comparisons} comparisons."


def _title(pair: PairComparison) -> str:
    dataset = pair.first.cell.spec.dataset.title
    return f"{pair.first.name} against {pair.second.name}: {dataset}, {describe_images(pair)}"


def corrected_head(options: CompareOptions) -> str:
    """Returns the head of the last column: of the p values that the findings rest on."""
    if options.correction == "none" or options.comparisons <= 1:
        return "p"
    return f"p ({CORRECTION_NAMES[options.correction]})"
