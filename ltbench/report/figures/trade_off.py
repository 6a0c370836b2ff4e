"""Accuracy against cost, with the Pareto front."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.label_placement import PlacedLabel, place_labels
from ltbench.report.figures.log_scale import LogScale, draw_zero, log_scale
from ltbench.report.figures.looks import NO_LOOKS, MethodLooks
from ltbench.report.figures.method_rows import describe_value
from ltbench.report.figures.plot_frame import PlotFrame
from ltbench.report.figures.scales import Scale, percent_scale
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    LINE_HEIGHT,
    MAX_COLOURED_LINES,
    MUTED,
    SMALL_SIZE,
    MethodStyle,
    with_figure_style,
)
from ltbench.report.figures.text_size import text_width

_LEFT, _TOP = 34.0, 24.0  # points
_HEIGHT = 230.0  # points of the plot
_AXIS_HEIGHT = 38.0  # points
_OTHER_STYLE = MethodStyle(MUTED, "o", "-")
_LEGEND_GAP = 16.0  # points between names below the plot


@with_figure_style
def draw_trade_off(
    names: Sequence[str],
    accuracy: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    cost: NDArray[np.float64],
    cost_label: str,
    *,
    looks: MethodLooks = NO_LOOKS,
) -> Canvas:
    """Draws one point per method, and the Pareto front as steps.

    Costs have a log axis, with zero at a separate position to its left. Names are beside the points
    of the first 12 methods and of the front, where they touch nothing; names without a place are
    below the plot. The other points are grey.

    Args:
        names: (n,) names of the methods, the most important first.
        accuracy: (n,) accuracies in percent; methods with an unknown accuracy or cost (NaN) are
            left out.
        low: (n,) lower bounds in percent; NaN where unknown.
        high: (n,) upper bounds in percent; NaN where unknown.
        cost: (n,) costs, 0 or more.
        cost_label: Name of the cost, with its unit.
        looks: Labels and styles of the methods on the page; the methods of the figure follow them.
    """
    looks = looks.including(names)
    frame = PlotFrame(_LEFT, _TOP, FIGURE_WIDTH - 8, _TOP + _HEIGHT)
    known = np.isfinite(accuracy) & np.isfinite(cost)
    front = pareto_front(cost, accuracy)
    x = log_scale(cost[known], frame.left, frame.right)
    shown = np.where(known, accuracy, np.nan)
    y = percent_scale(np.stack([shown, low, high]), frame.bottom, frame.top)
    points = np.column_stack([x(cost), y(accuracy)])
    named = [i for i in range(len(names)) if known[i] and (i < MAX_COLOURED_LINES or i in front)]
    important = sorted(named, key=lambda i: (i not in front, i))
    labels = [looks.label(names[i]) for i in important]
    lines = np.array(
        [*_interval_lines(points[:, 0], y(low), y(high)), *_front_lines(points[front])]
    ).reshape(-1, 4)
    places = place_labels(
        points[important],
        [text_width(label) for label in labels],
        others=points[[i for i in np.flatnonzero(known) if i not in named]],
        lines=lines,
        inside=(frame.left, frame.top - 4, frame.right + 6, frame.bottom - 2),
    )
    below = [i for i, place in zip(important, places, strict=True) if place is None]
    legend = _Legend([looks.label(names[i]) for i in below])
    key = looks.key([names[i] for i in important])
    height = frame.bottom + _AXIS_HEIGHT + legend.height + key.height
    canvas = Canvas(f"Accuracy against {cost_label}", FIGURE_WIDTH, height)
    _draw_axes(canvas, frame, x, y, cost_label)
    canvas.line(*points[front].T, width=1.1, step=True, layer=1.5)
    styles = [looks.style(name) if i in named else _OTHER_STYLE for i, name in enumerate(names)]
    for i in np.flatnonzero(known)[::-1]:
        style, at = styles[i], points[i]
        canvas.line([at[0]] * 2, y([low[i], high[i]]), colour=style.colour, width=1.4)
        dot = canvas.dots(*at, **style.marker_arguments(8.0 if i in named else 5.0))
        value = describe_value(float(accuracy[i]), float(low[i]), float(high[i]))
        canvas.tip(dot, f"{names[i]}: {value}, {cost_label} {cost[i]:,.4g}")
    for i, label, place in zip(important, labels, places, strict=True):
        if place is not None:
            _draw_label(canvas, label, names[i], place)
    legend.draw(canvas, frame.bottom + _AXIS_HEIGHT, [styles[i] for i in below])
    key.draw(canvas)
    return canvas


def pareto_front(cost: NDArray[np.float64], accuracy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns the positions of the Pareto-optimal methods, in ascending order of cost.

    Args:
        cost: (n,) costs; NaN where unknown.
        accuracy: (n,) accuracies; NaN where unknown.
    """
    known = np.flatnonzero(np.isfinite(cost) & np.isfinite(accuracy))
    order = known[np.lexsort((-accuracy[known], cost[known]))]
    if not order.size:
        return order
    best = np.concatenate([[-np.inf], np.maximum.accumulate(accuracy[order])[:-1]])
    return order[accuracy[order] > best]


def _draw_axes(canvas: Canvas, frame: PlotFrame, x: LogScale, y: Scale, cost_label: str) -> None:
    frame.draw_y(canvas, y, "accuracy, %")
    frame.draw_x(canvas, x.scale, cost_label, x.texts)
    canvas.write(
        *(frame.right, frame.top - 10, "better: higher, and further left"),
        anchor="right",
        size=SMALL_SIZE,
        colour=MUTED,
    )
    draw_zero(canvas, x, frame.top, frame.bottom)


def _draw_label(canvas: Canvas, label: str, name: str, place: PlacedLabel) -> None:
    if place.leader is not None:
        canvas.line(place.leader[[0, 2]], place.leader[[1, 3]], width=0.7)
    text = canvas.write(place.x, place.y, label)
    if label != name:
        canvas.tip(text, name)


class _Legend:
    """Markers and names of the points without a label beside them, below the plot."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._width = max((text_width(label) for label in labels), default=0) + 14 + _LEGEND_GAP
        self._columns = max(1, int((FIGURE_WIDTH + _LEGEND_GAP) / self._width))
        self.height = LINE_HEIGHT * -(-len(labels) // self._columns)

    def draw(self, canvas: Canvas, top: float, styles: Sequence[MethodStyle]) -> None:
        for i, (label, style) in enumerate(zip(self._labels, styles, strict=True)):
            x = 5 + self._width * (i % self._columns)
            y = top + LINE_HEIGHT * (i // self._columns + 0.5)
            canvas.dots(x, y, **style.marker_arguments(7.0))
            canvas.write(x + 9, y, label)


def _interval_lines(
    x: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Returns the ends of the intervals, (4,) each; `low` and `high` are positions."""
    found = np.flatnonzero(np.isfinite(x) & (high < low))
    return [np.array([x[i], low[i], x[i], high[i]]) for i in found]


def _front_lines(points: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Returns the ends of the line segments of the front, (4,) each."""
    lines = []
    for (x, y), (next_x, next_y) in itertools.pairwise(points):
        lines += [np.array([x, y, next_x, y]), np.array([next_x, y, next_x, next_y])]
    return lines
