"""What people see of a ranking: the same table in a terminal, in Markdown and in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ltbench.analysis.comparison.summary_text import p_text
from ltbench.analysis.leaderboard.ranking import Ranking, shared_settings
from ltbench.analysis.leaderboard.rows import Row, rows_of
from ltbench.analysis.leaderboard.significance import CLAIM
from ltbench.config.shorthand import as_line
from ltbench.io.text import printable
from ltbench.metric_names import ACCURACIES

_DISPENSABLE = ("ECE", "interval", "seeds", "train s", "mean-class", "learned %", "backbone")
"""Heads of columns in the order in which a narrow terminal goes without them."""
_ROUNDED = 0.05  # percent points that one decimal does not show


@dataclass(frozen=True)
class Shown:
    """A table of texts.

    Args:
        title: What the rows have in common.
        heads: (C,) above the columns; the first two hold rank and name.
        rows: Each (C,); "" where nothing is known.
        leading: (R,) whether a row was tested and is not told apart from the best.
        below: Sentences under the table.
        decides: Head of the column that the rows are ranked by.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    leading: tuple[bool, ...]
    below: tuple[str, ...]
    decides: str

    words = ("method", "backbone", "claim")
    """Heads of columns that hold words."""


def shown(ranking: Ranking, published: Sequence[Row] = ()) -> Shown:
    """Returns what is shown of a ranking, with published rows below it, which have no rank."""
    measured = rows_of(ranking)
    rows = [*measured, *published]
    names = [entry.name for entry in ranking.entries] + [f"{row.method} *" for row in published]
    columns = [
        ("rank", [_number(row.rank) for row in rows]),
        ("method", names),
        *_optional(rows),
        (p_head(ranking.metric), [_p(row.p_value_vs_best) for row in rows]),
        ("claim", _claims(measured, len(published))),
    ]
    kept = [(head, texts) for head, texts in columns if head == "method" or any(texts)]
    sources = [f"{row.method}: {row.source}" for row in published]
    return Shown(
        decides=ACCURACIES[ranking.metric].removesuffix("-shot"),
        title=title(ranking),
        heads=tuple(head for head, _ in kept),
        rows=tuple(zip(*(texts for _, texts in kept), strict=True)),
        leading=tuple(row.rank == 1 and row.claim == CLAIM for row in rows),
        below=(
            f"Ranked by {ACCURACIES[ranking.metric]} accuracy; methods that share a rank are not "
            f"told apart ({100 * ranking.level:g} % for all pairs together, max-T).",
            "± is the standard deviation over seeds; intervals "
            f"({100 * ranking.level:g} %) are over other seeds and other test images.",
            *_shared(ranking),
            *(f"{note}." for note in ranking.notes),
            *(f"* {source}" for source in dict.fromkeys(sources)),
        ),
    )


def _claims(rows: Sequence[Row], published: int) -> list[str]:
    """Returns the column of claims, empty where all rows have the usual one."""
    usual = all(row.claim in (CLAIM, None) for row in rows)
    return [("" if usual else row.claim or "") for row in rows] + [""] * published


def p_head(metric: str) -> str:
    """Returns the head of the column of p values."""
    return "p vs best" if metric == "accuracy" else f"p vs best ({metric})"


def _shared(ranking: Ranking) -> Iterator[str]:
    """What is unusual about all rows, or none of the names says."""
    common = shared_settings([entry.settings for entry in ranking.entries])
    said = {k: v for k, v in common.items() if k.partition(".")[0] not in ("dataset", "method")}
    if said:
        yield f"All: {as_line(said)}."


def title(ranking: Ranking) -> str:
    """Returns what the rows of a ranking have in common."""
    common = ranking.conditions
    epoch = "last epoch" if common.selection == "last" else f"epoch selected on {common.selection}"
    return f"{common.dataset}: inference {common.inference}, {epoch}, shot rule {common.shot_rule}"


def _optional(rows: Sequence[Row]) -> Iterable[tuple[str, list[str]]]:
    backbones = {row.backbone for row in rows}
    if len(backbones) > 1:
        yield "backbone", [row.backbone or "" for row in rows]
    yield "seeds", [_number(row.seeds) for row in rows]
    yield "overall", [_with_deviation(row) for row in rows]
    yield "interval", [_interval(row) for row in rows]
    pairs = [(row.mean_class, row.accuracy) for row in rows]
    if any(a is not None and b is not None and abs(a - b) >= _ROUNDED for a, b in pairs):
        yield "mean-class", [_number(row.mean_class, 1) for row in rows]
    yield "many", [_number(row.many, 1) for row in rows]
    yield "medium", [_number(row.medium, 1) for row in rows]
    yield "few", [_number(row.few, 1) for row in rows]
    yield "ECE", [_number(row.ece, 1) for row in rows]
    yield "learned %", [_number(row.learned_percent, 2) for row in rows]
    yield "train s", [_number(row.train_seconds, 1) for row in rows]


def fitted(table: Shown, width: int) -> Shown:
    """Returns a table without the columns that a narrow terminal has no room for."""
    dropped: set[str] = set()
    for head in ("", *(head for head in _DISPENSABLE if head != table.decides)):
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


def markdown(tables: Sequence[Shown]) -> str:
    """Returns tables in GitHub's Markdown."""
    return "\n".join(_markdown(table) for table in tables)


def _markdown(table: Shown) -> str:
    marks = [":--" if head in table.words else "--:" for head in table.heads]
    lines = [f"### {_escaped(table.title)}", "", _piped(table.heads), _piped(marks)]
    lines += [_piped(map(_escaped, row)) for row in table.rows]
    return "\n".join([*lines, "", *(f"{_escaped(text)}  " for text in table.below), ""])


def _piped(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _escaped(text: str) -> str:
    return re.sub(r"([|*_<>`\\\[\]])", r"\\\1", printable(text))


def latex(tables: Sequence[Shown]) -> str:
    """Returns tables for LaTeX, with the rules of booktabs; what leads is bold."""
    return "% needs \\usepackage{booktabs}\n" + "\n".join(_latex(table) for table in tables)


def _latex(table: Shown) -> str:
    align = "".join("l" if head in table.words else "r" for head in table.heads)
    place = table.heads.index("method")
    bold = "Bold: not told apart from the best." if any(table.leading) else ""
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{_tex(table.title)}. {' '.join(map(_tex, (*table.below, bold)))}}}",
        rf"  \begin{{tabular}}{{{align}}}",
        r"    \toprule",
        f"    {' & '.join(map(_tex, table.heads))} \\\\",
        r"    \midrule",
    ]
    for texts, leads in zip(table.rows, table.leading, strict=True):
        row = [_tex(text) for text in texts]
        row[place] = rf"\textbf{{{row[place]}}}" if leads else row[place]
        lines.append(f"    {' & '.join(row)} \\\\")
    return "\n".join([*lines, r"    \bottomrule", r"  \end{tabular}", r"\end{table}", ""])


_TEX = {
    **{char: f"\\{char}" for char in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
}


def _tex(text: str) -> str:
    return "".join(_TEX.get(char, char) for char in printable(text))


def _number(value: float | None, decimals: int = 0) -> str:
    return "" if value is None else f"{value:,.{decimals}f}"


def _p(value: float | None) -> str:
    return "" if value is None else p_text(value)


def _with_deviation(row: Row) -> str:
    if row.accuracy is None:
        return ""
    spread = "" if row.accuracy_std is None else f" ± {row.accuracy_std:.1f}"
    return f"{row.accuracy:.1f}{spread}"


def _interval(row: Row) -> str:
    if row.accuracy_ci_low is None or row.accuracy_ci_high is None:
        return ""
    return f"{row.accuracy_ci_low:.1f} to {row.accuracy_ci_high:.1f}"
