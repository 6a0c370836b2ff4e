"""Distance between training and test features of each method, by shot group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.group_panels import GroupPanels
from ltbench.report.figures.looks import NO_LOOKS, MethodLooks
from ltbench.report.figures.style import MUTED, SMALL_SIZE, with_figure_style


@with_figure_style
def draw_train_test_excess(
    names: Sequence[str],
    groups: Sequence[str],
    means: NDArray[np.float64],
    lows: NDArray[np.float64],
    highs: NDArray[np.float64],
    *,
    axis: str,
    decimals: int = 3,
    looks: MethodLooks = NO_LOOKS,
) -> Canvas:
    """Draws a row per method and a panel per shot group, with a dot, an interval and a number.

    All panels have the same scale, with a line at 0: there, training and test features of a class
    are as close as random parts of both.

    Args:
        names: (n,) names of the methods, the best first.
        groups: (g,) names of the shot groups, such as `few-shot`.
        means: (n, g) distances minus their floor; NaN where unknown.
        lows: (n, g) lower bounds; NaN where unknown.
        highs: (n, g) upper bounds; NaN where unknown.
        axis: Name of the distance.
        decimals: Number of decimals of a number.
        looks: Labels and styles of the methods on the page; the methods of the figure follow them.
    """
    panels = GroupPanels(
        *("Distance between training and test features", names, groups),
        np.stack([means, lows, highs]),
        looks,
        axis=axis,
        number=f"-0.{'0' * decimals}",
        least=0.0,
    )
    canvas = panels.canvas
    for j, scale, end in panels.panels():
        panels.vertical(scale, 0.0)
        for i, (name, y) in enumerate(zip(panels.rows.names, panels.middles, strict=True)):
            mean, low, high = (float(values[i, j]) for values in (means, lows, highs))
            style = panels.rows.style(i)
            canvas.line(scale([low, high]), [y, y], colour=style.colour, width=1.5)
            canvas.dots(scale(mean), y, **style.marker_arguments(6.0))
            if panels.number_width:
                text = format_number(mean, decimals)
                canvas.write(end, y, text, anchor="right", size=SMALL_SIZE, colour=MUTED)
            panels.hit(scale, end, y, f"{name}, {groups[j]}: {_described(mean, low, high)}")
    return panels.finish()


def format_number(value: float, decimals: int) -> str:
    """Returns a number as text; a dash where it is unknown."""
    if not np.isfinite(value):
        return "\N{EN DASH}"
    return f"{value:z.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def _described(mean: float, low: float, high: float) -> str:
    if not np.isfinite(mean):
        return "unknown"
    bounds = f" (interval {low:.4f} to {high:.4f})" if np.isfinite(low + high) else ""
    return f"{mean:.4f} above the floor{bounds}"
