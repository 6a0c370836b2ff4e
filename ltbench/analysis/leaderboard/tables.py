"""Tables of rankings for readers: terminal, Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ltbench.analysis.comparison.summary_text import format_p
from ltbench.analysis.leaderboard.ranking import Ranking, shared_settings
from ltbench.analysis.leaderboard.rows import Row, ranking_rows
from ltbench.analysis.leaderboard.significance import CLAIM_METHODS
from ltbench.config.minimal_settings import as_line
from ltbench.io.text import latex_text, markdown_text
from ltbench.metric_names import ACCURACIES

_NARROW_DROP_ORDER = ("ECE", "interval", "seeds", "train s", "mean-class", "learned %", "backbone")
"""Heads of columns in the order in which they are left out on a narrow terminal."""
_MIN_VISIBLE_POINTS = 0.05  # percent points; smaller differences vanish in one decimal


@dataclass(frozen=True)
class DisplayTable:
    """Table of a ranking as text.

    Args:
        title: Conditions that the rows share.
        heads: (C,) heads of the columns; the first two are rank and method.
        rows: (R,) rows of (C,) texts each; "" where a value is unknown.
        is_best: (R,) whether a row was tested and is not significantly worse than the best.
        footnotes: Sentences below the table.
        metric_head: Head of the column that the rows are ranked by.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_best: tuple[bool, ...]
    footnotes: tuple[str, ...]
    metric_head: str

    TEXT_HEADS = ("method", "backbone", "claim")
    """Heads of columns with text; the others hold numbers."""


def display_table(ranking: Ranking, published: Sequence[Row] = ()) -> DisplayTable:
    """Returns the table of a ranking, followed by published rows, which have no rank."""
    measured = ranking_rows(ranking)
    rows = [*measured, *published]
    names = [entry.name for entry in ranking.entries] + [f"{row.method} *" for row in published]
    columns = [
        ("rank", [_format_number(row.rank) for row in rows]),
        ("method", names),
        *_numeric_columns(rows),
        (p_column_head(ranking.metric), [_format_optional_p(row.p_value_vs_best) for row in rows]),
        ("claim", _claim_column(measured, len(published))),
    ]
    kept = [(head, texts) for head, texts in columns if head == "method" or any(texts)]
    sources = [f"{row.method}: {row.source}" for row in published]
    return DisplayTable(
        metric_head=ACCURACIES[ranking.metric].removesuffix("-shot"),
        title=ranking_title(ranking),
        heads=tuple(head for head, _ in kept),
        rows=tuple(zip(*(texts for _, texts in kept), strict=True)),
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
    )


def _claim_column(rows: Sequence[Row], published: int) -> list[str]:
    """Returns the column of claims; all texts are empty where all rows support the usual claim."""
    usual = all(row.claim in (CLAIM_METHODS, None) for row in rows)
    return [("" if usual else row.claim or "") for row in rows] + [""] * published


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


def _numeric_columns(rows: Sequence[Row]) -> Iterable[tuple[str, list[str]]]:
    backbones = {row.backbone for row in rows}
    if len(backbones) > 1:
        yield "backbone", [row.backbone or "" for row in rows]
    yield "seeds", [_format_number(row.seeds) for row in rows]
    yield "overall", [_format_accuracy(row) for row in rows]
    yield "interval", [_format_interval(row) for row in rows]
    pairs = [(row.mean_class, row.accuracy) for row in rows]
    if any(a is not None and b is not None and abs(a - b) >= _MIN_VISIBLE_POINTS for a, b in pairs):
        yield "mean-class", [_format_number(row.mean_class, 1) for row in rows]
    yield "many", [_format_number(row.many, 1) for row in rows]
    yield "medium", [_format_number(row.medium, 1) for row in rows]
    yield "few", [_format_number(row.few, 1) for row in rows]
    yield "ECE", [_format_number(row.ece, 1) for row in rows]
    yield "learned %", [_format_number(row.learned_percent, 2) for row in rows]
    yield "train s", [_format_number(row.train_seconds, 1) for row in rows]


def fit_to_width(table: DisplayTable, width: int) -> DisplayTable:
    """Returns a table without the less important columns that exceed the width.

    Args:
        table: Table of a ranking.
        width: Width of the terminal, in characters.
    """
    dropped: set[str] = set()
    for head in ("", *(head for head in _NARROW_DROP_ORDER if head != table.metric_head)):
        dropped.add(head)
        kept = [place for place, name in enumerate(table.heads) if name not in dropped]
        texts = (table.heads, *table.rows)
        if sum(2 + max(len(row[place]) for row in texts) for place in kept) <= width:
            break
    return replace(
        table,
        heads=tuple(table.heads[place] for place in kept),
        rows=tuple(tuple(row[place] for place in kept) for row in table.rows),
    )


def to_markdown(tables: Sequence[DisplayTable]) -> str:
    """Returns tables in GitHub's Markdown."""
    return "\n".join(_markdown_table(table) for table in tables)


def _markdown_table(table: DisplayTable) -> str:
    marks = [":--" if head in table.TEXT_HEADS else "--:" for head in table.heads]
    lines = [
        f"### {markdown_text(table.title)}",
        "",
        _markdown_row(table.heads),
        _markdown_row(marks),
    ]
    lines += [_markdown_row(map(markdown_text, row)) for row in table.rows]
    return "\n".join([*lines, "", *(f"{markdown_text(text)}  " for text in table.footnotes), ""])


def _markdown_row(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def to_latex(tables: Sequence[DisplayTable]) -> str:
    """Returns tables for LaTeX with booktabs.

    The names of methods that are not significantly worse than the best are bold.
    """
    return "% needs \\usepackage{booktabs}\n" + "\n".join(_latex_table(table) for table in tables)


def _latex_table(table: DisplayTable) -> str:
    align = "".join("l" if head in table.TEXT_HEADS else "r" for head in table.heads)
    place = table.heads.index("method")
    bold = "Bold: not significantly worse than the best." if any(table.is_best) else ""
    caption = " ".join(map(latex_text, (*table.footnotes, bold)))
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{latex_text(table.title)}. {caption}}}",
        rf"  \begin{{tabular}}{{{align}}}",
        r"    \toprule",
        f"    {' & '.join(map(latex_text, table.heads))} \\\\",
        r"    \midrule",
    ]
    for texts, leads in zip(table.rows, table.is_best, strict=True):
        row = [latex_text(text) for text in texts]
        row[place] = rf"\textbf{{{row[place]}}}" if leads else row[place]
        lines.append(f"    {' & '.join(row)} \\\\")
    return "\n".join([*lines, r"    \bottomrule", r"  \end{tabular}", r"\end{table}", ""])


def _format_number(value: float | None, decimals: int = 0) -> str:
    return "" if value is None else f"{value:,.{decimals}f}"


def _format_optional_p(value: float | None) -> str:
    return "" if value is None else format_p(value)


def _format_accuracy(row: Row) -> str:
    if row.accuracy is None:
        return ""
    spread = "" if row.accuracy_std is None else f" ± {row.accuracy_std:.1f}"
    return f"{row.accuracy:.1f}{spread}"


def _format_interval(row: Row) -> str:
    if row.accuracy_ci_low is None or row.accuracy_ci_high is None:
        return ""
    return f"{row.accuracy_ci_low:.1f} to {row.accuracy_ci_high:.1f}"
