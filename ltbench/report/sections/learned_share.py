"""Section of a report on accuracy by the learned share of the encoder."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.leaderboard.ranking import RankedCell, Ranking
from ltbench.analysis.leaderboard.share_curves import (
    CurvePoint,
    ShareCurve,
    ShareCurves,
    share_curves,
)
from ltbench.metric_names import ACCURACIES
from ltbench.report.figures.share_panels import ShareLine, draw_share_panels
from ltbench.report.figures.style import MAX_COLOURED_LINES
from ltbench.report.page.content import CellValue, Column, Section, Table, WithInterval
from ltbench.report.page.figure_set import FigureSet

_GROUPS = ("accuracy", "many", "medium", "few")


def learned_share_section(ranking: Ranking, name: str, figures: FigureSet) -> Section | None:
    """Returns the section; None where no method of the ranking has three learned shares.

    Args:
        ranking: Ranking of the cells.
        name: Name in snake_case, unique in the report; prefix of the figure and the anchor.
        figures: Collection that the figure is added to.
    """
    found = share_curves(ranking)
    if found is None:
        return None
    metrics = [one for one in _GROUPS if _is_known(found, one)]
    shown = found.all[:MAX_COLOURED_LINES]
    lines = {curve.name: _line(curve, metrics) for curve in shown}
    picture = figures.add(
        f"{name}_learned_share",
        draw_share_panels(lines, [ACCURACIES[one] for one in metrics]),
        " ".join(_caption(ranking, found)),
        "; ".join(_spoken(curve, metrics) for curve in shown) + ".",
    )
    return Section(
        f"{name.replace('_', '-')}-share",
        "Accuracy by the learned share of the encoder",
        blocks=[picture, _table(found, metrics, name)],
    )


def _is_known(found: ShareCurves, metric: str) -> bool:
    points = [point for curve in found.all for point in curve.points]
    return any(point.entry.cell.mean(metric) is not None for point in points)


def _caption(ranking: Ranking, found: ShareCurves) -> Iterator[str]:
    """Yields the sentences of the caption: what is drawn, and how the rates were chosen."""
    yield (
        "Accuracy against the learned parameters of the image encoder, in percent of those before "
        f"the method; a logarithmic axis, with {100 * ranking.level:g} % intervals over seeds and "
        "test images. Distances are comparable between groups."
    )
    if found.ends:
        names = ", ".join(curve.name for curve in found.ends)
        yield f"At 0, and as dotted lines: {names}."
    left_out = len(found.all) - MAX_COLOURED_LINES
    if left_out > 0:
        yield f"{left_out} more methods are in the table alone."
    yield from rate_sentences(found)


def rate_sentences(found: ShareCurves) -> Iterator[str]:
    """Yields sentences on the choice of the learning rates."""
    if found.chosen_on is None:
        yield "Each share has one learning rate: no rates were compared here."
        return
    criterion = f"{ACCURACIES[found.criterion]} accuracy"
    if found.optimistic:
        yield (
            f"Learning rates were compared on the {found.chosen_on} split itself, by {criterion}: "
            "the accuracies of the best are optimistic. Small points are the other rates."
        )
    else:
        yield (
            f"The learning rate of each share is the best in {criterion} on the {found.chosen_on} "
            "split, mean over seeds. Small points are the other rates."
        )
    alone = [
        curve.name for curve in found.all if all(len(point.rates) == 1 for point in curve.points)
    ]
    if alone:
        yield f"One learning rate alone: {', '.join(alone)}."
    at_end = list(_at_end(found))
    if at_end:
        yield (
            "The best rate is the lowest or the highest of those compared, so a better one may lie "
            f"beyond: {', '.join(at_end)}."
        )


def _at_end(found: ShareCurves) -> Iterator[str]:
    """Yields the methods with the shares whose best rate is at the end of its range."""
    for curve in found.all:
        shares = [
            f"{point.share:.3g} %"
            for point in curve.points
            if len(point.rates) > 1 and point.rate in (point.rates[0], point.rates[-1])
        ]
        if shares:
            yield f"{curve.name} ({', '.join(shares)})"


def _line(curve: ShareCurve, metrics: list[str]) -> ShareLine:
    chosen = [point.entry for point in curve.points]
    others = [(point.share, entry) for point in curve.points for entry in point.others]
    bounds = np.array(
        [[entry.intervals.get(one, (np.nan,) * 2) for one in metrics] for entry in chosen]
    )
    return ShareLine(
        shares=np.array([point.share for point in curve.points]),
        rates=np.array([point.rate for point in curve.points]),
        means=_means(chosen, metrics),
        lows=bounds[..., 0],
        highs=bounds[..., 1],
        other_shares=np.array([share for share, _ in others], dtype=float),
        other_rates=np.array([entry.cell.spec.train.lr for _, entry in others], dtype=float),
        other_means=_means([entry for _, entry in others], metrics),
    )


def _means(entries: list[RankedCell], metrics: list[str]) -> NDArray[np.float64]:
    """Returns the accuracies of cells, (n, m); NaN where unknown."""
    values = [[entry.cell.mean(one) for one in metrics] for entry in entries]
    return np.array(values, dtype=float).reshape(len(entries), len(metrics))


def _spoken(curve: ShareCurve, metrics: list[str]) -> str:
    parts = []
    for point, means in zip(
        curve.points, _means([p.entry for p in curve.points], metrics), strict=True
    ):
        said = ", ".join(
            f"{ACCURACIES[one]} {mean:.1f}"
            for one, mean in zip(metrics, means, strict=True)
            if np.isfinite(mean)
        )
        parts.append(f"{point.share:.3g} % learned: {said}")
    return f"{curve.name}: {'; '.join(parts)}"


def _table(found: ShareCurves, metrics: list[str], name: str) -> Table:
    """Returns the chosen rate of each share, and its accuracies."""
    chosen = found.chosen_on is not None
    return Table(
        f"{name}_learned_shares",
        "Learning rates of each learned share, and the accuracies of the best one in percent.",
        [
            Column("method"),
            Column("learned share, %", decimals=3),
            Column("learning rate"),
            *(
                [
                    Column("rates compared"),
                    Column(f"{found.criterion} on {found.chosen_on}", decimals=1),
                ]
                if chosen
                else []
            ),
            *(Column(ACCURACIES[one], decimals=1) for one in metrics),
        ],
        [
            _row(curve, point, metrics, compared=chosen)
            for curve in found.all
            for point in curve.points
        ],
        folded=True,
    )


def _row(
    curve: ShareCurve, point: CurvePoint, metrics: list[str], *, compared: bool
) -> tuple[CellValue, ...]:
    rates = ", ".join(f"{rate:g}" for rate in point.rates)
    accuracies: list[CellValue] = []
    for one in metrics:
        mean, bounds = point.entry.cell.mean(one), point.entry.intervals.get(one)
        accuracies.append(None if mean is None else WithInterval(mean, *(bounds or (None, None))))
    return (
        curve.name,
        point.share,
        f"{point.rate:g}",
        *((rates, point.score) if compared else ()),
        *accuracies,
    )
