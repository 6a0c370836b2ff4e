"""Frame of a plot with two axes: grid, ticks and names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.scales import Scale, format_ticks
from ltbench.report.figures.style import MUTED, SMALL_SIZE

MAX_STRIPS = 60
"""Number of vertical areas of a plot that have values to hover."""
_TICK_GAP = 5.0  # points between tick texts and the plot


@dataclass(frozen=True)
class PlotFrame:
    """Area of a plot.

    Args:
        left: Left end, in points.
        top: Top, in points.
        right: Right end, in points.
        bottom: Bottom, in points.
    """

    left: float
    top: float
    right: float
    bottom: float

    def draw_y(self, canvas: Canvas, scale: Scale, name: str = "") -> None:
        """Draws horizontal lines at ticks, their texts at the left, and the name above them."""
        for tick, text in zip(scale.ticks, format_ticks(scale.ticks), strict=True):
            y = scale.at(tick)
            canvas.grid_line([self.left, self.right], [y, y])
            canvas.write(
                self.left - _TICK_GAP, y, text, anchor="right", size=SMALL_SIZE, colour=MUTED
            )
        if name:
            canvas.write(0, self.top - 10, name, size=SMALL_SIZE, colour=MUTED)

    def draw_x(
        self,
        canvas: Canvas,
        scale: Scale,
        name: str = "",
        texts: Iterable[str] = (),
        *,
        grid: bool = False,
    ) -> None:
        """Draws the lower edge, ticks and their texts below it, and the name at the right."""
        canvas.line([self.left, self.right], [self.bottom, self.bottom])
        shown = list(texts) or format_ticks(scale.ticks)
        for tick, text in zip(scale.ticks, shown, strict=True):
            x = scale.at(tick)
            if grid:
                canvas.grid_line([x, x], [self.top, self.bottom])
            canvas.line([x, x], [self.bottom, self.bottom + 3])
            canvas.write(x, self.bottom + 11, text, anchor="center", size=SMALL_SIZE, colour=MUTED)
        if name:
            middle = (self.left + self.right) / 2
            canvas.write(
                *(middle, self.bottom + 26, name), anchor="center", size=SMALL_SIZE, colour=MUTED
            )


def strip_edges(positions: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Returns the edges of vertical areas around positions, (n + 1,): halfway between them."""
    return np.concatenate([[low], (positions[1:] + positions[:-1]) / 2, [high]])
