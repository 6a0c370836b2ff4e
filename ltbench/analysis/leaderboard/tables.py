"""Tables of rankings for readers: terminal, Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from ltbench.analysis.columns import frame_of
from ltbench.analysis.comparison.summary_text import format_p
from ltbench.analysis.leaderboard.ranking import Ranking, shared_settings
from ltbench.analysis.leaderboard.rows import COLUMNS, Row, ranking_rows
from ltbench.analysis.leaderboard.significance import CLAIM_METHODS
from ltbench.config.minimal_settings import as_line
from ltbench.io.tables import LATEX_PREAMBLE, format_series, latex_table, markdown_table
from ltbench.io.text import markdown_text
from ltbench.metric_names import ACCURACIES

_NARROW_DROP_ORDER = ("ECE", "interval", "seeds", "train s", "mean-class", "learned %", "backbone")
"""Heads of columns in the order in which they are left out on a narrow terminal."""
_BOLD_NOTE = "Bold: not significantly worse than the best."
_MIN_VISIBLE_POINTS = 0.05  # percent points; smaller differences vanish in one decimal


@dataclass(frozen=True, eq=False)
class DisplayTable:
    """Table of a ranking as text.

    Args:
        title: Conditions that the rows share.
        texts: (R, C) texts, "" where a value is unknown; the first columns are rank and method.
        is_best: (R,) whether a row was tested and is not significantly worse than the best.
        footnotes: Sentences below the table.
        metric_head: Head of the column that the rows are ranked by.
    """

    title: str
    texts: pd.DataFrame
    is_best: tuple[bool, ...]
    footnotes: tuple[str, ...]
    metric_head: str

    TEXT_HEADS = ("method", "backbone", "claim")
    """Heads of columns with text; the others hold numbers."""


def display_table(ranking: Ranking, published: Sequence[Row] = ()) -> DisplayTable:
    """Returns the table of a ranking, followed by published rows, which have no rank."""
    rows = [*ranking_rows(ranking), *published]
    names = [entry.name for entry in ranking.entries] + [f"{row.method} *" for row in published]
    texts = _column_texts(frame_of(rows, COLUMNS, rounded=False), names, ranking.metric)
    kept = [head for head in texts.columns if head == "method" or texts[head].any()]
    sources = [f"{row.method}: {row.source}" for row in published]
    return DisplayTable(
        title=ranking_title(ranking),
        texts=texts[kept],
        is_best=tuple(row.rank == 1 and row.claim == CLAIM_METHODS for row in rows),
        footnotes=(
            f"Ranked by {ACCURACIES[ranking.metric]} accuracy; methods that share a rank do not "
            f"differ significantly ({100 * ranking.level:g} % for all pairs together, max-T).",
            "± is the standard deviation over seeds; intervals "
            f"({100 * ranking.level:g} %) are over seeds and test images.",
            *_shared_settings_note(ranking),
            *(f"{note}." for note in ranking.notes),
            *(f"* {source}" for source in dict.fromkeys(sources)),
        ),
        metric_head=ACCURACIES[ranking.metric].removesuffix("-shot"),
    )


def supports_usual_claim(claims: pd.Series) -> bool:
    """Returns whether all rows support the usual claim, so that their column says nothing."""
    return bool((claims.isna() | (claims == CLAIM_METHODS)).all())


def p_column_head(metric: str) -> str:
    """Returns the head of the column of p values."""
    return "p vs best" if metric == "accuracy" else f"p vs best ({metric})"


def _shared_settings_note(ranking: Ranking) -> Iterator[str]:
    """Yields a sentence with the unusual settings that all rows share, if any."""
    common = shared_settings([entry.settings for entry in ranking.entries])
    shown = {k: v for k, v in common.items() if k.partition(".")[0] not in ("dataset", "method")}
    if shown:
        yield f"All: {as_line(shown)}."


def ranking_title(ranking: Ranking) -> str:
    """Returns the conditions that the rows of a ranking share, as a title."""
    common = ranking.conditions
    epoch = "last epoch" if common.selection == "last" else f"epoch selected on {common.selection}"
    return f"{common.dataset}: inference {common.inference}, {epoch}, shot rule {common.shot_rule}"


def _column_texts(frame: pd.DataFrame, names: Sequence[str], metric: str) -> pd.DataFrame:
    """Returns the columns for readers as texts; of a column that says nothing, all texts are empty.

    Args:
        frame: Rows of a leaderboard, not rounded.
        names: Name of each row.
        metric: Name of the accuracy that the rows are ranked by.
    """
    several_backbones = frame["backbone"].nunique(dropna=False) > 1
    mean_class_differs = (frame["mean_class"] - frame["accuracy"]).abs() >= _MIN_VISIBLE_POINTS
    columns: dict[str, list[str] | str] = {
        "rank": format_series(frame["rank"], "{:,}".format),
        "method": list(names),
        "backbone": format_series(frame["backbone"], str) if several_backbones else "",
        "seeds": format_series(frame["seeds"], "{:,}".format),
        "overall": _with_spread(frame["accuracy"], frame["accuracy_std"]),
        "interval": _interval_texts(frame["accuracy_ci_low"], frame["accuracy_ci_high"]),
        "mean-class": (
            format_series(frame["mean_class"], "{:,.1f}".format) if mean_class_differs.any() else ""
        ),
        "many": format_series(frame["many"], "{:,.1f}".format),
        "medium": format_series(frame["medium"], "{:,.1f}".format),
        "few": format_series(frame["few"], "{:,.1f}".format),
        "ECE": format_series(frame["ece"], "{:,.1f}".format),
        "learned %": format_series(frame["learned_percent"], "{:,.2f}".format),
        "train s": format_series(frame["train_seconds"], "{:,.1f}".format),
        p_column_head(metric): format_series(frame["p_value_vs_best"], format_p),
        "claim": "" if supports_usual_claim(frame["claim"]) else format_series(frame["claim"], str),
    }
    return pd.DataFrame(columns)


def _with_spread(means: pd.Series, deviations: pd.Series) -> list[str]:
    """Returns means with their standard deviations, where these are known."""
    spread = [f" ± {text}" if text else "" for text in format_series(deviations, "{:.1f}".format)]
    texts = format_series(means, "{:.1f}".format)
    return [mean + plus if mean else "" for mean, plus in zip(texts, spread, strict=True)]


def _interval_texts(lows: pd.Series, highs: pd.Series) -> list[str]:
    bounds = [format_series(bound, "{:.1f}".format) for bound in (lows, highs)]
    return [f"{low} to {high}" if low and high else "" for low, high in zip(*bounds, strict=True)]


def fit_to_width(table: DisplayTable, width: int) -> DisplayTable:
    """Returns a table without the less important columns that exceed the width.

    Args:
        table: Table of a ranking.
        width: Width of the terminal, in characters.
    """
    dropped: set[str] = set()
    for head in ("", *(head for head in _NARROW_DROP_ORDER if head != table.metric_head)):
        dropped.add(head)
        texts = table.texts.drop(columns=dropped, errors="ignore")
        widths = [max(len(head), texts[head].str.len().max()) for head in texts.columns]
        if sum(2 + size for size in widths) <= width:
            break
    return replace(table, texts=texts)


def to_markdown(tables: Sequence[DisplayTable]) -> str:
    """Returns tables in GitHub's Markdown."""
    return "\n".join(_markdown_section(table) for table in tables)


def _markdown_section(table: DisplayTable) -> str:
    lines = [
        f"### {markdown_text(table.title)}",
        "",
        markdown_table(table.texts, table.TEXT_HEADS),
        "",
        *(f"{markdown_text(text)}  " for text in table.footnotes),
        "",
    ]
    return "\n".join(lines)


def to_latex(tables: Sequence[DisplayTable]) -> str:
    """Returns tables for LaTeX with booktabs.

    The names of methods that are not significantly worse than the best are bold.
    """
    return LATEX_PREAMBLE + "\n".join(_latex_section(table) for table in tables)


def _latex_section(table: DisplayTable) -> str:
    notes = (*table.footnotes, *([_BOLD_NOTE] if any(table.is_best) else []))
    bold = [(row, "method") for row, leads in enumerate(table.is_best) if leads]
    return latex_table(table.texts, table.TEXT_HEADS, f"{table.title}. {' '.join(notes)}", bold)
