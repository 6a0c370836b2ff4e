"""Leaderboard of a ranking: a table whose first columns answer the question, with a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ltbench.analysis.columns import frame_of
from ltbench.analysis.comparison.short_labels import ShortLabels
from ltbench.analysis.comparison.summary_text import format_p
from ltbench.analysis.leaderboard.ranking import RankedCell, Ranking
from ltbench.analysis.leaderboard.rows import COLUMNS, MEASURED, Row, ranking_rows
from ltbench.analysis.leaderboard.significance import CLAIM_METHODS
from ltbench.analysis.leaderboard.tables import p_column_head, supports_usual_claim
from ltbench.analysis.metrics import SHOT_GROUPS
from ltbench.metric_names import ACCURACIES
from ltbench.report.page.content import CellValue, Column, ShortName, Shown, Table, WithInterval
from ltbench.report.sections.evidence import RankingEvidence

_COLUMN_TITLES = {
    "accuracy": "overall",
    "accuracy_std": "± over seeds",
    "mean_class": "mean-class",
    "ece": "ECE",
    "learned_parameters": "learned",
    "learned_percent": "learned %",
    "train_seconds": "train s",
    "images_per_second": "images/s",
    "peak_memory_mb": "memory MB",
}
_DECIMALS = {
    "learned_percent": 2,
    "images_per_second": 0,
    "peak_memory_mb": 0,
    "p_value_vs_best": 3,
}
_MORE_COLUMNS = (
    *("mean_class", "p_value_vs_best", "accuracy_std", "seeds", "ece", "learned_parameters"),
    *("learned_percent", "train_seconds", "images_per_second", "peak_memory_mb"),
)
_OMITTED_COLUMNS = (
    *("method", "spec"),  # the name has the method; commands are at the end
    *(f"{name}_ci_{end}" for name in ACCURACIES for end in ("low", "high")),  # with the accuracy
)


def leaderboard_table(
    ranking: Ranking,
    evidence: RankingEvidence | None,
    published: Sequence[Row],
    labels: ShortLabels,
    name: str,
) -> Table:
    """Returns the table of a ranking.

    Rank, method, the ranked accuracy with its interval and the shot groups are shown first. Columns
    that are the same in all rows are left out: `shared_facts` has them.

    Args:
        ranking: Ranking of the cells.
        evidence: Results of its best methods; None without predictions.
        published: Published rows on the same data set.
        labels: Labels of the methods.
        name: Name in snake_case, unique on the page.
    """
    rows = [*ranking_rows(ranking), *published]
    frame, metric = frame_of(rows, COLUMNS, rounded=False), ranking.metric
    first = ("rank", "method", metric, *_other_accuracies(metric), "claim")
    about: dict[str, Mapping[str, Any]] = {column.name: column.metadata for column in COLUMNS}
    rest = [
        *_MORE_COLUMNS,
        *(key for key in about if key not in (*first, *_MORE_COLUMNS, *_OMITTED_COLUMNS)),
    ]
    heads: list[Column] = []
    values: list[Sequence[CellValue]] = []
    for key in (*first, *(key for key in rest if key not in first)):
        found = frame[key]
        if key != "method" and (found.isna().all() or _is_shared(found, about[key], len(rows))):
            continue
        if key == "claim" and supports_usual_claim(found):
            continue
        shown: Shown = "always" if key in ("rank", "method", metric, "few") else "wide"
        heads.append(_page_column(key, about[key], metric, shown if key in first else "more"))
        if key == "method":
            values.append([*(_name_cell(e, labels) for e in ranking.entries), *_starred(published)])
        elif key == metric:
            values.append(_estimates(frame, ranking, evidence))
        else:
            values.append([_cell_value(key, each) for each in found.tolist()])
    has_rank = heads[0].title == "rank"
    stars = " Rows with a star are published, not measured, and have no rank."
    return Table(
        name,
        f"In percent, ranked by {ACCURACIES[metric]} accuracy. Methods that share a rank do not "
        f"differ significantly ({100 * ranking.level:g} % for all pairs together, max-T)."
        + (stars if any(row.source != MEASURED for row in published) else ""),
        heads,
        list(zip(*values, strict=True)),
        name_column=int(has_rank),
        leading=_number_of_leading(ranking) if len(ranking.entries) > 1 else 0,
        key=labels.key(entry.name for entry in ranking.entries),
    )


def shared_facts(ranking: Ranking) -> list[tuple[str, str]]:
    """Returns the conditions of a ranking, and the choices that all its rows share."""
    about = ranking.conditions
    epoch = "last" if about.selection == "last" else f"best on {about.selection}"
    facts = [("inference", about.inference), ("epoch", epoch), ("shot rule", about.shot_rule)]
    frame = frame_of(ranking_rows(ranking), COLUMNS, rounded=False)
    for key in ("backbone", "loss", "augmentation", "head", "init"):
        found = frame[key]
        if found.nunique(dropna=False) == 1 and not found.isna().all():
            facts.append((key, str(found[0])))
    return facts


def _other_accuracies(metric: str) -> list[str]:
    """Returns the accuracies that are shown beside the ranked one."""
    overall = [] if metric == "accuracy" else ["accuracy"]
    return [*overall, *(group for group in SHOT_GROUPS if group != metric)]


def _is_shared(found: pd.Series, about: Mapping[str, Any], rows: int) -> bool:
    """Returns whether a text is the same in all rows, and so is a fact of the ranking."""
    return about["dtype"] == "string" and rows > 1 and found.nunique(dropna=False) == 1


def _number_of_leading(ranking: Ranking) -> int:
    """Returns the number of rows that are not significantly worse than the best, from the first."""
    number = 0
    for entry in ranking.entries:
        if entry.rank != 1 or entry.claim != CLAIM_METHODS:
            break
        number += 1
    return number


def _name_cell(entry: RankedCell, labels: ShortLabels) -> CellValue:
    return ShortName(labels.texts[entry.name], entry.name)


def _starred(published: Sequence[Row]) -> list[CellValue]:
    return [f"{row.method} *" for row in published]


def _estimates(
    frame: pd.DataFrame, ranking: Ranking, evidence: RankingEvidence | None
) -> list[CellValue]:
    """Returns the ranked accuracies, with their intervals where predictions are known."""
    metric, known = ranking.metric, dict[str, tuple[float, float]]()
    if f"{metric}_ci_low" in frame:
        bounds = [frame[f"{metric}_ci_{end}"].tolist() for end in ("low", "high")]
        pairs = list(zip(*bounds, strict=True))
    else:
        if evidence is not None and metric in evidence.intervals:
            each = zip(evidence.names, evidence.intervals[metric], strict=True)
            known = {name: (low, high) for name, (_, low, high) in each}
        names = [entry.name for entry in ranking.entries]
        names += [""] * (len(frame) - len(names))
        pairs = [known.get(name, (np.nan, np.nan)) for name in names]
    return [
        None if pd.isna(value) else WithInterval(value, _known(low), _known(high))
        for value, (low, high) in zip(frame[metric].tolist(), pairs, strict=True)
    ]


def _known(value: float) -> float | None:
    return None if pd.isna(value) else value


def _page_column(key: str, about: Mapping[str, Any], metric: str, shown: Shown) -> Column:
    is_text = about["dtype"] == "string"
    decimals = None if is_text else _DECIMALS.get(key, 1 if about["dtype"] == "float64" else 0)
    title = _COLUMN_TITLES.get(key, key.replace("_", " "))
    title = p_column_head(metric) if key == "p_value_vs_best" else title
    described = about["help"]
    if key == metric:
        described += "; in brackets its interval over seeds and test images"
    filtered = is_text and key not in ("source", "method")
    return Column(title, described, decimals, filtered, shown)


def _cell_value(key: str, value: Any) -> CellValue:
    if pd.isna(value):
        return None
    if key == "p_value_vs_best":
        return format_p(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value  # type: ignore[no-any-return]
