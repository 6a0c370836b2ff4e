"""Average ranks of many methods, one row each, with bars beside methods that do not differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.looks import MethodLooks
from ltbench.report.figures.method_rows import MethodRows
from ltbench.report.figures.scales import Scale, nice_ticks
from ltbench.report.figures.style import FIGURE_WIDTH, INK, MUTED, RULE, SMALL_SIZE
from ltbench.report.figures.text_size import text_width

_AXIS_NAME = "average rank"
_ROW_HEIGHT = 15.0  # points
_HEAD_HEIGHT = 44.0  # points
_BAR_SPACING = 7.0  # points between bars
_MAX_BARS_WIDTH = 120.0  # points


def draw_rank_rows(
    names: Sequence[str],
    ranks: NDArray[np.float64],
    difference: float,
    groups: Sequence[Sequence[int]],
    looks: MethodLooks,
) -> Canvas:
    """Draws a row for each method, the best first, with a dot at its average rank.

    Args:
        names: (k,) names of the methods.
        ranks: (k,) average ranks; 1 is the best.
        difference: Critical difference, drawn as a ruler above the rows.
        groups: Groups of methods that do not differ significantly, as positions in `names`; each is
            a bar at the right.
        looks: Labels and styles of the methods on the page.
    """
    order = np.argsort(ranks, kind="stable")
    place = np.argsort(order)
    rows = MethodRows([names[i] for i in order], looks, (), len(names))
    key = looks.key(names)
    spacing = min(_BAR_SPACING, _MAX_BARS_WIDTH / max(len(groups), 1))
    right = FIGURE_WIDTH - 8 - spacing * len(groups)
    number = text_width("00.0", SMALL_SIZE) + 4
    low, high = float(ranks.min()), float(ranks.max())
    room = 0.04 * (high - low) or 0.5
    ticks = tuple(nice_ticks(low - room, high + room, 6))
    left = max(rows.width, text_width(_AXIS_NAME, SMALL_SIZE)) + 14
    x = Scale(low - room, high + room, left, right - number, ticks)
    bottom = _HEAD_HEIGHT + _ROW_HEIGHT * len(names)
    canvas = Canvas("Critical-difference diagram", FIGURE_WIDTH, bottom + 6 + key.height)
    middles = _HEAD_HEIGHT + _ROW_HEIGHT * (np.arange(len(names)) + 0.5)
    rows.draw(canvas, middles, _ROW_HEIGHT, right=right)
    for tick in ticks:
        at = x.at(tick)
        canvas.grid_line([at, at], [_HEAD_HEIGHT, bottom])
        canvas.write(
            *(at, _HEAD_HEIGHT - 7, f"{tick:g}"), anchor="center", size=SMALL_SIZE, colour=MUTED
        )
    canvas.write(0, _HEAD_HEIGHT - 7, _AXIS_NAME, size=SMALL_SIZE, colour=MUTED)
    _draw_ruler(canvas, x, difference)
    for row, (i, y) in enumerate(zip(order, middles, strict=True)):
        canvas.line([x.start, x.at(ranks[i])], [y, y], colour=RULE, width=1.0, layer=1)
        canvas.dots(x(ranks[i]), y, **rows.style(row).marker_arguments(6.0))
        canvas.write(
            *(right - 2, y, f"{ranks[i]:.1f}"), anchor="right", size=SMALL_SIZE, colour=MUTED
        )
        tip = f"{names[i]}: average rank {ranks[i]:.2f}"
        canvas.hit(0, y - _ROW_HEIGHT / 2, right, y + _ROW_HEIGHT / 2, tip)
    for bar, group in enumerate(sorted(groups, key=lambda g: min(place[list(g)]))):
        at = right + 8 + spacing * (bar + 0.5)
        ends = middles[place[list(group)]]
        line = canvas.line(
            [at, at], [ends.min() - 5, ends.max() + 5], colour=INK, width=min(3.0, spacing - 1)
        )
        canvas.tip(line, f"{len(group)} methods that do not differ significantly")
    key.draw(canvas)
    return canvas


def _draw_ruler(canvas: Canvas, x: Scale, difference: float) -> None:
    length = difference * (x.end - x.start) / (x.high - x.low)
    text = f"critical difference {difference:.2f}"
    if not length:
        return
    if length > x.end - x.start:
        canvas.write(0, 10, f"{text}, wider than the axis", size=SMALL_SIZE, colour=MUTED)
        return
    canvas.line([x.start, x.start + length], [20, 20])
    for end in (x.start, x.start + length):
        canvas.line([end, end], [16, 24])
    canvas.write(x.start, 8, text, size=SMALL_SIZE, colour=MUTED)
