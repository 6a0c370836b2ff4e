"""Demsar's critical-difference diagram (JMLR 2006)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ltbench.report.figures.names import labels
from ltbench.report.figures.style import LETTER, LINE, WIDTH, blank, styled

_BAR = 8.0  # points from a bar to the next
_INK: dict[str, Any] = {"color": "0.25", "linewidth": 1.0, "solid_capstyle": "butt"}


@styled
def critical_difference(
    names: Sequence[str],
    ranks: NDArray[np.float64],
    difference: float,
    groups: Sequence[Sequence[int]],
) -> Figure:
    """Draws methods on an axis of average ranks, the best at the right as in Demsar's.

    Args:
        names: (k,) of the methods.
        ranks: (k,) average ranks, 1 the best.
        difference: The critical one: a ruler above the axis.
        groups: Positions of methods that are not told apart: each a bar that joins them.
    """
    k = len(names)
    order = np.argsort(-ranks, kind="stable")  # from left to right
    left, right = order[: k // 2], order[k // 2 :][::-1]
    shown = [f"{name}  {rank:.1f}" for name, rank in zip(_short(names), ranks, strict=True)]
    margin = max(LETTER * max(map(len, shown)) + 14, 60)
    span = max(k - 1, 1)
    unit = (WIDTH - 2 * margin) / span
    x = WIDTH - margin - unit * (ranks - 1)
    levels = _levels([(float(ranks[list(g)].min()), float(ranks[list(g)].max())) for g in groups])
    names_from = 14 + _BAR * (max(levels, default=-1) + 1)
    height = 62 + names_from + LINE * len(right) + 4

    figure = blank("Critical-difference diagram", height)
    figure.set_layout_engine("none")  # everything is placed by hand, in points
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height - 62, -62)  # the axis of ranks is at 0, and y grows downwards
    axes.set_axis_off()
    _axis(axes, k, margin, unit)
    _ruler(axes, difference, margin, unit)
    for group, level in zip(groups, levels, strict=True):
        at = 10 + _BAR * level
        ends = x[list(group)]
        axes.plot([ends.min() - 3, ends.max() + 3], [at, at], color="0.0", linewidth=3.5)
    for side, members in ((-1, left), (1, right)):
        for i, method in enumerate(members):
            at = names_from + LINE * (i + 0.5)
            end = margin - 8 if side < 0 else WIDTH - margin + 8
            axes.plot([x[method], x[method], end], [0, at, at], **_INK)
            axes.text(
                end + 3 * side,
                at,
                shown[method],
                ha="right" if side < 0 else "left",
                va="center_baseline",
            )
    return figure


def _short(names: Sequence[str]) -> list[str]:
    return labels(names, width=14, lines=1)


def _axis(axes: Axes, k: int, margin: float, unit: float) -> None:
    axes.plot([margin, WIDTH - margin], [0, 0], **_INK)
    step = -(-max(k, 2) // 8)
    for rank in range(1, k + 1):
        at = WIDTH - margin - unit * (rank - 1)
        named = (rank - 1) % step == 0
        axes.plot([at, at], [-6 if named else -3, 0], **_INK)
        if named:
            axes.text(at, -8, str(rank), ha="center", va="bottom")
    axes.text(WIDTH - margin + 12, 0, "better", ha="left", va="center_baseline", style="italic")


def _ruler(axes: Axes, difference: float, margin: float, unit: float) -> None:
    length = difference * unit
    if not 0 < length < WIDTH - 8:  # nothing to compare
        return
    start = max(4.0, min(margin, WIDTH - 4 - length))
    axes.plot([start, start + length], [-34, -34], **_INK)
    for end in (start, start + length):
        axes.plot([end, end], [-38, -30], **_INK)
    axes.text(
        max(start + length / 2, 50),
        -39,
        f"CD = {difference:.2f}",
        ha="center",
        va="bottom",
    )


def _levels(ranges: Sequence[tuple[float, float]]) -> list[int]:
    """Returns at which level below the axis each bar is, so that bars of a level are apart."""
    ends: list[float] = []  # of the last bar of each level
    levels = []
    for low, high in ranges:
        free = [level for level, end in enumerate(ends) if end < low]
        level = free[0] if free else len(ends)
        ends[level : level + 1] = [high]
        levels.append(level)
    return levels
