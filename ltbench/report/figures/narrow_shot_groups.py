"""Accuracy of each method by shot group, for a phone: numbers, and all groups on one line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.looks import NO_LOOKS, MethodLooks
from ltbench.report.figures.method_rows import (
    EMPHASISED,
    MethodRows,
    best_values,
    describe_value,
    format_value,
    more_methods,
)
from ltbench.report.figures.scales import Scale, format_ticks, percent_scale
from ltbench.report.figures.style import (
    INK,
    MUTED,
    NARROW_WIDTH,
    RULE,
    SMALL_SIZE,
    SURFACE,
    with_figure_style,
)
from ltbench.report.figures.text_size import text_width

MAX_ROWS = 24
"""Number of methods that have a row; the others are named below."""
_ROW_HEIGHT = 34.0  # points: a line of text and a line of marks
_TEXT_SHARE = 0.3  # of a row, down to the middle of its text
_MARKS_SHARE = 0.74  # of a row, down to its marks
_HEAD_HEIGHT = 42.0  # points
_COLUMN_WIDTH = 33.0  # points of a number
_AXIS_HEIGHT = 34.0  # points
_MAX_COLUMNS = 4
_SHORT_HEADS = {"overall": "all", "mean-class": "mean", "medium": "med."}
_GROUP_MARKERS = {"many": "o", "medium": "s", "few": "D"}


@with_figure_style
def draw_narrow_shot_groups(
    names: Sequence[str],
    metrics: Sequence[str],
    means: NDArray[np.float64],
    lows: NDArray[np.float64],
    highs: NDArray[np.float64],
    *,
    looks: MethodLooks = NO_LOOKS,
    ranks: Sequence[int | None] = (),
) -> Canvas:
    """Draws the numbers of each method above a line with a mark for each shot group.

    Overall accuracy is a bar across the line. Few-shot classes have a filled mark and an interval.
    Beyond 24 methods, the others are named below.

    Args:
        names: (n,) names of the methods, the best first.
        metrics: (m,) names of the metrics; of more than four, others than the first and the shot
            groups are left out.
        means: (n, m) means in percent; NaN for an empty group.
        lows: (n, m) lower bounds in percent; NaN where unknown.
        highs: (n, m) upper bounds in percent; NaN where unknown.
        looks: Labels and styles of the methods on the page; the methods of the figure follow them.
        ranks: (n,) ranks, written before the names, with a line between ranks; empty for none.
    """
    width = NARROW_WIDTH
    short = [metric.removesuffix("-shot") for metric in metrics]
    kept = [j for j, one in enumerate(short) if j == 0 or one in (*_GROUP_MARKERS, "overall")]
    if len(kept) > _MAX_COLUMNS:
        kept = [j for j in kept if j == 0 or short[j] != "overall"]
    rows = MethodRows(names, looks.including(names), ranks, MAX_ROWS)
    shown = len(rows.names)
    more = more_methods(rows.others, means[shown:, 0], width)
    key = rows.looks.key(names, width)
    bottom = _HEAD_HEIGHT + _ROW_HEIGHT * shown
    canvas = Canvas(
        "Accuracy by shot group", width, bottom + _AXIS_HEIGHT + more.height + key.height
    )
    scale = percent_scale(np.stack([means[:shown, kept]]), 6, width - 6, ticks=5)
    ends = [width - _COLUMN_WIDTH * (len(kept) - 1 - k) - 3 for k in range(len(kept))]
    _draw_head(canvas, [short[j] for j in kept], ends)
    for tick, text in zip(scale.ticks, format_ticks(scale.ticks), strict=True):
        x = scale.at(tick)
        for i in range(shown):
            y = _HEAD_HEIGHT + _ROW_HEIGHT * (i + _MARKS_SHARE)
            canvas.grid_line([x, x], [y - 5, y + 5])
        canvas.write(x, bottom + 9, text, anchor="center", size=SMALL_SIZE, colour=MUTED)
    canvas.write(6, bottom + 24, "accuracy, %", size=SMALL_SIZE, colour=MUTED)
    best = {j: best_values(means[:, j]) for j in kept}
    for i in range(shown):
        top = _HEAD_HEIGHT + _ROW_HEIGHT * i
        for j, end in zip(kept, ends, strict=True):
            is_best = bool(best[j][i])
            canvas.write(
                end,
                top + _TEXT_SHARE * _ROW_HEIGHT,
                format_value(float(means[i, j])),
                anchor="right",
                size=SMALL_SIZE,
                bold=is_best,
                colour=INK if is_best else MUTED,
            )
        _draw_marks(canvas, rows, i, scale, [short[j] for j in kept], means[i, kept])
        for j in kept:
            if metrics[j] in EMPHASISED and np.isfinite(lows[i, j] + highs[i, j]):
                ends_ = np.clip([lows[i, j], highs[i, j]], scale.low, scale.high)
                y = top + _MARKS_SHARE * _ROW_HEIGHT
                canvas.line(scale(ends_), [y, y], colour=rows.style(i).colour, width=2.2, layer=3)
        said = [
            f"{short[j]} {describe_value(*(float(v[i, j]) for v in (means, lows, highs)))}"
            for j in kept
        ]
        canvas.hit(0, top, width, top + _ROW_HEIGHT, "\n".join([rows.names[i], *said]))
    middles = _HEAD_HEIGHT + _ROW_HEIGHT * (np.arange(shown) + 0.5)
    rows.draw(canvas, middles, _ROW_HEIGHT, right=width, lift=(0.5 - _TEXT_SHARE) * _ROW_HEIGHT)
    more.draw(canvas, bottom + _AXIS_HEIGHT)
    key.draw(canvas)
    return canvas


def _draw_head(canvas: Canvas, metrics: Sequence[str], ends: Sequence[float]) -> None:
    """Draws the marks' names, and the heads of the numbers."""
    x = 6.0
    for j, metric in enumerate(metrics):
        _draw_mark(canvas, metric, x, 9, INK)
        canvas.write(x + 8, 9, metric, size=SMALL_SIZE, colour=INK if j == 0 else MUTED)
        x += text_width(metric, SMALL_SIZE) + 26
    for j, (metric, end) in enumerate(zip(metrics, ends, strict=True)):
        bold = j == 0 or metric in EMPHASISED
        canvas.write(
            *(end, 31, _SHORT_HEADS.get(metric, metric)),
            anchor="right",
            size=SMALL_SIZE,
            bold=bold,
            colour=INK if bold else MUTED,
        )


def _draw_marks(
    canvas: Canvas,
    rows: MethodRows,
    row: int,
    scale: Scale,
    metrics: Sequence[str],
    values: NDArray[np.float64],
) -> None:
    """Draws the line of a method, from its lowest to its highest value, and its marks."""
    y = _HEAD_HEIGHT + _ROW_HEIGHT * (row + _MARKS_SHARE)
    known = values[np.isfinite(values)]
    if known.size:
        canvas.line(scale([known.min(), known.max()]), [y, y], colour=RULE, width=3, layer=1)
    for metric, value in zip(metrics, values, strict=True):
        if np.isfinite(value):
            _draw_mark(canvas, metric, scale.at(value), y, rows.style(row).colour)


def _draw_mark(canvas: Canvas, metric: str, x: float, y: float, colour: str) -> None:
    if metric not in _GROUP_MARKERS:
        canvas.line([x, x], [y - 5, y + 5], colour=colour, width=2.2, layer=5)
        return
    canvas.dots(
        x,
        y,
        marker=_GROUP_MARKERS[metric],
        markersize=6.0,
        color=colour if metric in EMPHASISED else SURFACE,
        markeredgecolor=colour,
        markeredgewidth=1.2,
        linestyle="none",
    )
