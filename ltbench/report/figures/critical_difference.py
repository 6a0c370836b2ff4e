"""Demsar's critical-difference diagram (JMLR 2006)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ltbench.report.figures.label_text import shorten_names
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    LINE_HEIGHT,
    new_figure,
    text_width,
    with_figure_style,
)

_BAR_SPACING = 8.0  # points between levels of bars
_LINE_STYLE: dict[str, Any] = {"color": "0.25", "linewidth": 1.0, "solid_capstyle": "butt"}


@with_figure_style
def draw_critical_difference(
    names: Sequence[str],
    ranks: NDArray[np.float64],
    difference: float,
    groups: Sequence[Sequence[int]],
) -> Figure:
    """Draws methods on an axis of average ranks, the best at the right as in Demsar's diagram.

    The axis covers the range of the average ranks, not 1 to k, because names need most of the
    width.

    Args:
        names: (k,) names of the methods.
        ranks: (k,) average ranks; 1 is the best.
        difference: Critical difference, drawn as a ruler above the axis.
        groups: Groups of methods that do not differ significantly, as positions in `names`; each is
            a bar.
    """
    k = len(names)
    order = np.argsort(-ranks, kind="stable")  # from left to right
    left, right = order[: k // 2], order[k // 2 :][::-1]
    short = shorten_names(names, width=15)
    shown = [f"{name} {rank:.1f}" for name, rank in zip(short, ranks, strict=True)]
    first, last = int(np.floor(ranks.min())), int(np.ceil(ranks.max()))
    last = max(last, first + 1)
    room = FIGURE_WIDTH - 2 * max(max(map(text_width, shown)) + 18, 60)
    unit = min(room / (last - first), (FIGURE_WIDTH - 8) / max(difference, 1e-9))
    margin = (FIGURE_WIDTH - unit * (last - first)) / 2
    x = FIGURE_WIDTH - margin - unit * (ranks - first)
    bars = [(float(x[list(g)].min()) - 3, float(x[list(g)].max()) + 3) for g in groups]
    levels = _bar_levels(bars)
    names_from = 14 + _BAR_SPACING * (max(levels, default=-1) + 1)
    height = 62 + names_from + LINE_HEIGHT * len(right) + 4

    figure = new_figure("Critical-difference diagram", height)
    figure.set_layout_engine("none")  # all positions are computed below, in points
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, FIGURE_WIDTH)
    axes.set_ylim(height - 62, -62)  # the axis of ranks is at 0, and y grows downwards
    axes.set_axis_off()
    _draw_axis(axes, range(first, last + 1), margin, unit)
    _draw_ruler(axes, difference, margin, unit)
    for ends, level in zip(bars, levels, strict=True):
        at = 10 + _BAR_SPACING * level
        axes.plot(ends, [at, at], color="0.0", linewidth=3.5, solid_capstyle="butt")
    for side, members in ((-1, left), (1, right)):
        for i, method in enumerate(members):
            at = names_from + LINE_HEIGHT * (i + 0.5)
            end = margin - 8 if side < 0 else FIGURE_WIDTH - margin + 8
            axes.plot([x[method], x[method], end], [0, at, at], **_LINE_STYLE)
            axes.text(
                end + 3 * side,
                at,
                shown[method],
                ha="right" if side < 0 else "left",
                va="center_baseline",
            )
    return figure


def _draw_axis(axes: Axes, ranks: range, margin: float, unit: float) -> None:
    axes.plot([margin, FIGURE_WIDTH - margin], [0, 0], **_LINE_STYLE)
    step = max(1, math.ceil(20 / unit))  # numbers are at least 20 points apart
    for i, rank in enumerate(ranks):
        at = FIGURE_WIDTH - margin - unit * i
        named = i % step == 0
        axes.plot([at, at], [-6 if named else -3, 0], **_LINE_STYLE)
        if named:
            axes.text(at, -8, str(rank), ha="center", va="bottom")
    axes.text(
        FIGURE_WIDTH - margin + 12, 0, "better", ha="left", va="center_baseline", style="italic"
    )


def _draw_ruler(axes: Axes, difference: float, margin: float, unit: float) -> None:
    length = difference * unit
    if not length:  # a single method has no critical difference
        return
    start = max(4.0, min(margin, FIGURE_WIDTH - 4 - length))
    axes.plot([start, start + length], [-34, -34], **_LINE_STYLE)
    for end in (start, start + length):
        axes.plot([end, end], [-38, -30], **_LINE_STYLE)
    axes.text(
        max(start + length / 2, 50),
        -39,
        f"CD = {difference:.2f}",
        ha="center",
        va="bottom",
    )


def _bar_levels(bars: Sequence[tuple[float, float]]) -> list[int]:
    """Returns the level of each bar below the axis, such that bars of a level do not overlap."""
    levels: list[int] = []
    for left, right in bars:
        near = {
            level
            for (start, end), level in zip(bars, levels, strict=False)
            if left < end + 4 and start < right + 4
        }
        levels.append(next(level for level in itertools.count() if level not in near))
    return levels
