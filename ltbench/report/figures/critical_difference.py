"""Demsar's critical-difference diagram (JMLR 2006)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.looks import NO_LOOKS, MethodLooks
from ltbench.report.figures.rank_rows import draw_rank_rows
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    INK,
    LINE_HEIGHT,
    MUTED,
    SMALL_SIZE,
    with_figure_style,
)
from ltbench.report.figures.text_size import text_width

_MAX_METHODS = 16  # with more, each method has a row
_MAX_CRAMPED_METHODS = 6  # as much, where long names leave little room for the axis
_MIN_AXIS_WIDTH = 130.0  # points
_BAR_SPACING = 8.0  # points between levels of bars
_ABOVE = 56.0  # points above the axis


@with_figure_style
def draw_critical_difference(
    names: Sequence[str],
    ranks: NDArray[np.float64],
    difference: float,
    groups: Sequence[Sequence[int]],
    *,
    looks: MethodLooks = NO_LOOKS,
) -> Canvas:
    """Draws methods on an axis of average ranks, the best at the right as in Demsar's diagram.

    The axis covers the range of the average ranks, not 1 to k, because names need most of the
    width. With more than 16 methods, or 7 with long names, each has a row, and the bars are
    vertical.

    Args:
        names: (k,) names of the methods.
        ranks: (k,) average ranks; 1 is the best.
        difference: Critical difference, drawn as a ruler above the axis.
        groups: Groups of methods that do not differ significantly, as positions in `names`; each is
            a bar.
        looks: Labels and styles of the methods on the page; the methods of the figure follow them.
    """
    looks = looks.including(names)
    labels = [looks.label(name) for name in names]
    numbers = [f"{rank:.1f}" for rank in ranks]
    number_width = max(text_width(number, SMALL_SIZE) for number in numbers) + 5
    side = max(max(map(text_width, labels)) + number_width + 14, 60)
    room = FIGURE_WIDTH - 2 * side
    if len(names) > (_MAX_METHODS if room >= _MIN_AXIS_WIDTH else _MAX_CRAMPED_METHODS):
        return draw_rank_rows(names, ranks, difference, groups, looks)
    k, key = len(names), looks.key(names)
    order = np.argsort(-ranks, kind="stable")  # from left to right
    left, right = order[: k // 2], order[k // 2 :][::-1]
    first, last = int(np.floor(ranks.min())), int(np.ceil(ranks.max()))
    last = max(last, first + 1)
    room = max(room, 60)
    unit = min(room / (last - first), (FIGURE_WIDTH - 8) / max(difference, 1e-9))
    margin = (FIGURE_WIDTH - unit * (last - first)) / 2
    x = FIGURE_WIDTH - margin - unit * (ranks - first)
    bars = [(float(x[list(g)].min()) - 3, float(x[list(g)].max()) + 3) for g in groups]
    levels = bar_levels(bars)
    names_from = _ABOVE + 12 + _BAR_SPACING * (max(levels, default=-1) + 1)
    height = names_from + LINE_HEIGHT * len(right) + 4
    canvas = Canvas("Critical-difference diagram", FIGURE_WIDTH, height + key.height)
    _draw_axis(canvas, range(first, last + 1), margin, unit)
    _draw_ruler(canvas, difference, margin, unit)
    for ends, level in zip(bars, levels, strict=True):
        at = _ABOVE + 10 + _BAR_SPACING * level
        canvas.line(ends, [at, at], colour=INK, width=3.2, layer=3)
    for turn, members in ((-1, left), (1, right)):
        for i, method in enumerate(members):
            at = names_from + LINE_HEIGHT * (i + 0.5)
            end = margin - 6 if turn < 0 else FIGURE_WIDTH - margin + 6
            style = looks.style(names[method])
            canvas.line([x[method], x[method], end], [_ABOVE, at, at], width=0.8)
            number = canvas.write(
                *(end + 3 * turn, at, numbers[method]),
                anchor="right" if turn < 0 else "left",
                size=SMALL_SIZE,
                colour=MUTED,
            )
            canvas.tip(number, f"{names[method]}: average rank {ranks[method]:.2f}")
            text = canvas.write(
                *(end + (3 + number_width) * turn, at, labels[method]),
                anchor="right" if turn < 0 else "left",
            )
            canvas.tip(text, f"{names[method]}: average rank {ranks[method]:.2f}")
            dot = canvas.dots(x[method], _ABOVE, **style.marker_arguments(7.0))
            canvas.tip(dot, f"{names[method]}: average rank {ranks[method]:.2f}")
    key.draw(canvas)
    return canvas


def _draw_axis(canvas: Canvas, ranks: range, margin: float, unit: float) -> None:
    canvas.line([margin, FIGURE_WIDTH - margin], [_ABOVE, _ABOVE])
    step = max(1, math.ceil(20 / unit))  # numbers are at least 20 points apart
    for i, rank in enumerate(ranks):
        at = FIGURE_WIDTH - margin - unit * i
        named = i % step == 0
        canvas.line([at, at], [_ABOVE - (6 if named else 3), _ABOVE])
        if named:
            canvas.write(
                *(at, _ABOVE - 13, str(rank)), anchor="center", size=SMALL_SIZE, colour=MUTED
            )
    canvas.write(FIGURE_WIDTH - margin + 10, _ABOVE - 13, "better", size=SMALL_SIZE, colour=MUTED)


def _draw_ruler(canvas: Canvas, difference: float, margin: float, unit: float) -> None:
    length = difference * unit
    if not length:  # a single method has no critical difference
        return
    start = max(4.0, min(margin, FIGURE_WIDTH - 4 - length))
    canvas.line([start, start + length], [24, 24])
    for end in (start, start + length):
        canvas.line([end, end], [20, 28])
    text = f"critical difference {difference:.2f}"
    left = min(start, FIGURE_WIDTH - text_width(text, SMALL_SIZE))
    canvas.write(left, 10, text, size=SMALL_SIZE, colour=MUTED)


def bar_levels(bars: Sequence[tuple[float, float]]) -> list[int]:
    """Returns the level of each bar, such that bars of a level do not overlap."""
    levels: list[int] = []
    for left, right in bars:
        near = {
            level
            for (start, end), level in zip(bars, levels, strict=False)
            if left < end + 4 and start < right + 4
        }
        levels.append(next(level for level in itertools.count() if level not in near))
    return levels
