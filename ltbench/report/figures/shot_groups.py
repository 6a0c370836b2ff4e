"""Accuracy of each method, overall and by shot group: who is best, and where."""

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
from ltbench.report.figures.scales import Scale, finite_range, format_ticks, percent_scale
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    FONT_SIZE,
    INK,
    MUTED,
    RULE,
    SMALL_SIZE,
    with_figure_style,
)
from ltbench.report.figures.text_size import text_width

MAX_ROWS = 40
"""Number of methods that have a row; the others are named below."""
_ROW_HEIGHT = 18.0  # points
_PANEL_GAP = 12.0  # points between panels
_HEAD_HEIGHT = 22.0  # points
_MIN_DOT_WIDTH = 24.0  # points; a narrower panel has no numbers
_AXIS_HEIGHT = 34.0  # points
_RIGHT_ROOM = 6.0  # points


@with_figure_style
def draw_shot_groups(
    names: Sequence[str],
    metrics: Sequence[str],
    means: NDArray[np.float64],
    lows: NDArray[np.float64],
    highs: NDArray[np.float64],
    *,
    looks: MethodLooks = NO_LOOKS,
    ranks: Sequence[int | None] = (),
    width: float = FIGURE_WIDTH,
) -> Canvas:
    """Draws one row per method and one panel per metric, with a dot, an interval and a number.

    All panels span the same number of percent points, so that distances are comparable. The best
    number of a panel is bold, and few-shot classes have a shade. Dots are used instead of bars, so
    that the axis need not start at 0. Beyond 40 methods, the others are named below.

    Args:
        names: (n,) names of the methods, the best first.
        metrics: (m,) names of the metrics, such as `overall` and `few`.
        means: (n, m) means in percent; NaN for an empty group.
        lows: (n, m) lower bounds in percent; NaN where unknown.
        highs: (n, m) upper bounds in percent; NaN where unknown.
        looks: Labels and styles of the methods on the page; the methods of the figure follow them.
        ranks: (n,) ranks, written before the names, with a line between ranks; empty for none.
        width: Width of the figure, in points.
    """
    rows = MethodRows(names, looks.including(names), ranks, MAX_ROWS)
    shown = len(rows.names)
    more = more_methods(rows.others, means[shown:, 0], width)
    key = rows.looks.key(names, width)
    bottom = _HEAD_HEIGHT + _ROW_HEIGHT * shown
    canvas = Canvas(
        "Accuracy by shot group", width, bottom + _AXIS_HEIGHT + more.height + key.height
    )
    left = rows.width + 10
    panel = (width - _RIGHT_ROOM - left - _PANEL_GAP * (len(metrics) - 1)) / len(metrics)
    number = text_width("100.0", SMALL_SIZE, bold=True) + 5
    number = number if panel - number >= _MIN_DOT_WIDTH else 0.0
    bounds = [
        finite_range(np.stack([means[:, j], lows[:, j], highs[:, j]])) for j in range(len(metrics))
    ]
    span = 1.08 * max(high - low for low, high in bounds)
    at = _HEAD_HEIGHT + _ROW_HEIGHT * (np.arange(shown) + 0.5)
    for j, metric in enumerate(metrics):
        start = left + j * (panel + _PANEL_GAP)
        end = start + panel
        if metric in EMPHASISED:
            canvas.rectangle(start - 5, 0, end + 5, bottom, colour=RULE, opacity=0.45, layer=0)
        ticks = max(2, int((panel - number) / 36))
        scale = percent_scale(bounds[j], start + 3, end - number - 3, ticks=ticks, span=span)
        bold = metric in EMPHASISED or j == 0
        canvas.write(
            start,
            10,
            metric.removesuffix("-shot"),
            size=FONT_SIZE if panel > 70 else SMALL_SIZE,
            bold=bold,
            colour=INK if bold else MUTED,
        )
        _draw_scale(canvas, scale, bottom)
        best = best_values(means[:, j])
        for i, (name, y) in enumerate(zip(rows.names, at, strict=True)):
            mean, low, high = (float(values[i, j]) for values in (means, lows, highs))
            style = rows.style(i)
            canvas.line(scale([low, high]), [y, y], colour=style.colour, width=1.5)
            canvas.dots(scale(mean), y, **style.marker_arguments(6.0))
            if number:
                canvas.write(
                    end,
                    y,
                    format_value(mean),
                    anchor="right",
                    size=SMALL_SIZE,
                    bold=bool(best[i]),
                    colour=INK if best[i] else MUTED,
                )
            canvas.hit(
                start - 4,
                y - _ROW_HEIGHT / 2,
                end + 2,
                y + _ROW_HEIGHT / 2,
                f"{name}, {metric}: {describe_value(mean, low, high)}",
            )
    rows.draw(canvas, at, _ROW_HEIGHT, right=width - 1)
    canvas.write(left + 3, bottom + 24, "accuracy, %", size=SMALL_SIZE, colour=MUTED)
    more.draw(canvas, bottom + _AXIS_HEIGHT)
    key.draw(canvas)
    return canvas


def _draw_scale(canvas: Canvas, scale: Scale, bottom: float) -> None:
    """Draws ticks below a panel, and the lines of its grid."""
    for tick, text in zip(scale.ticks, format_ticks(scale.ticks), strict=True):
        x = scale.at(tick)
        canvas.grid_line([x, x], [_HEAD_HEIGHT, bottom])
        canvas.write(x, bottom + 9, text, anchor="center", size=SMALL_SIZE, colour=MUTED)
