"""Frame of figures with a row per method and a panel per shot group, all on one scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.looks import MethodLooks
from ltbench.report.figures.method_rows import EMPHASISED, MethodRows, MoreMethods
from ltbench.report.figures.scales import Scale, finite_range, format_ticks, nice_ticks
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    FONT_SIZE,
    INK,
    LINE_HEIGHT,
    MUTED,
    RULE,
    SMALL_SIZE,
)
from ltbench.report.figures.text_size import text_width, wrap_parts

MAX_ROWS = 40
"""Number of methods that have a row; the others are named below."""
_ROW_HEIGHT = 18.0  # points
_PANEL_GAP = 14.0  # points between panels
_HEAD_HEIGHT = 22.0  # points
_AXIS_HEIGHT = 34.0  # points
_RIGHT_ROOM = 6.0  # points
_MIN_MARKS_WIDTH = 64.0  # points; a narrower panel has no numbers
_TICK_DISTANCE = 26.0  # points
_TICK_GAP = 7.0  # points between the texts of ticks


class GroupPanels:
    """Rows and panels, their scale, and the positions of marks in them.

    Args:
        title: Title for screen readers.
        names: (n,) names of the methods, the best first.
        groups: (g,) names of the shot groups.
        values: Values of any shape that the scale spans; NaN where unknown.
        looks: Labels and styles of the methods.
        axis: Name of the axis.
        number: Widest number that is written beside the marks of a panel.
        least: Value that the scale contains, such as 0; None for none.
        legend: Height below the axis for a legend, in points.
    """

    def __init__(
        self,
        title: str,
        names: Sequence[str],
        groups: Sequence[str],
        values: NDArray[np.float64],
        looks: MethodLooks,
        *,
        axis: str,
        number: str,
        least: float | None = None,
        legend: float = 0.0,
    ) -> None:
        self.rows = MethodRows(names, looks.including(names), (), MAX_ROWS)
        self.groups = groups
        self._axis = axis
        self._more = _others(self.rows.others)
        self._key = self.rows.looks.key(names)
        self.bottom = _HEAD_HEIGHT + _ROW_HEIGHT * len(self.rows.names)
        """Lower end of the rows, in points."""
        self.legend_top = self.bottom + _AXIS_HEIGHT
        """Upper end of the legend, in points."""
        height = self.legend_top + legend + self._more.height + self._key.height
        self.canvas = Canvas(title, FIGURE_WIDTH, height)
        self._legend = legend
        self._left = self.rows.width + 10
        room = FIGURE_WIDTH - _RIGHT_ROOM - self._left
        self._panel = (room - _PANEL_GAP * (len(groups) - 1)) / len(groups)
        wide = text_width(number, SMALL_SIZE, bold=True) + 6
        self.number_width = wide if self._panel - wide >= _MIN_MARKS_WIDTH else 0.0
        """Width of the numbers of a panel, in points; 0 where there is no room for them."""
        known = values if least is None else np.append(values, least)
        low, high = finite_range(known) if np.isfinite(known).any() else (0.0, 1.0)
        room = max(0.05 * (high - low), 1e-3)
        self._range = low - room, high + room

    @property
    def middles(self) -> NDArray[np.float64]:
        """Vertical positions of the rows, (n,), in points."""
        places = np.arange(len(self.rows.names), dtype=np.float64)
        return _HEAD_HEIGHT + _ROW_HEIGHT * (places + 0.5)

    def panels(self) -> Iterator[tuple[int, Scale, float]]:
        """Draws the panels and yields for each its number, its scale, and its right end."""
        for j, group in enumerate(self.groups):
            start = self._left + j * (self._panel + _PANEL_GAP)
            end = start + self._panel
            emphasised = group in EMPHASISED
            if emphasised:
                self.canvas.rectangle(
                    *(start - 5, 0, end + 5, self.bottom), colour=RULE, opacity=0.45, layer=0
                )
            self.canvas.write(
                start,
                10,
                group.removesuffix("-shot"),
                size=FONT_SIZE if self._panel > 70 else SMALL_SIZE,
                bold=emphasised,
                colour=INK if emphasised else MUTED,
            )
            scale = self._scale(start + 3, end - self.number_width - 3)
            for tick, text in zip(scale.ticks, format_ticks(scale.ticks), strict=True):
                x = scale.at(tick)
                self.canvas.grid_line([x, x], [_HEAD_HEIGHT, self.bottom])
                self.canvas.write(
                    x, self.bottom + 9, text, anchor="center", size=SMALL_SIZE, colour=MUTED
                )
            yield j, scale, end

    def vertical(self, scale: Scale, value: float) -> None:
        """Draws a line through all rows of a panel at a value."""
        x = scale.at(value)
        self.canvas.line([x, x], [_HEAD_HEIGHT, self.bottom], colour=MUTED, width=0.9, layer=1)

    def hit(self, scale: Scale, end: float, y: float, text: str) -> None:
        """Adds the values of a row in a panel, shown where a reader points at it."""
        half = _ROW_HEIGHT / 2
        self.canvas.hit(scale.start - 7, y - half, end + 2, y + half, text)

    def finish(self) -> Canvas:
        """Draws names of rows and of the axis, the methods without a row, and the key."""
        self.rows.draw(self.canvas, self.middles, _ROW_HEIGHT, right=FIGURE_WIDTH - 1)
        self.canvas.write(
            self._left + 3, self.bottom + 24, self._axis, size=SMALL_SIZE, colour=MUTED
        )
        self._more.draw(self.canvas, self.legend_top + self._legend)
        self._key.draw(self.canvas)
        return self.canvas

    def _scale(self, start: float, end: float) -> Scale:
        """Returns the scale of a panel, with ticks whose texts do not touch."""
        low, high = self._range
        ticks = nice_ticks(low, high, max(2, int((end - start) / _TICK_DISTANCE)))
        wide = max(text_width(text, SMALL_SIZE) for text in format_ticks(ticks)) + _TICK_GAP
        apart = (ticks[1] - ticks[0]) * (end - start) / (high - low) if len(ticks) > 1 else wide
        step = math.ceil(wide / apart)
        first = ticks.index(0) % step if 0 in ticks else 0
        return Scale(low, high, start, end, tuple(ticks[first::step]))


def _others(labels: Sequence[str]) -> MoreMethods:
    """Returns the sentence about the methods without a row."""
    if not labels:
        return MoreMethods([])
    named = [*(f"{label}," for label in labels[:-1]), f"{labels[-1]}."]
    space = text_width(" ", SMALL_SIZE)
    lines = wrap_parts([f"{len(labels)} more:", *named], FIGURE_WIDTH - 2, SMALL_SIZE, space)
    return MoreMethods([" ".join(line) for line in lines])


def draw_legend(
    canvas: Canvas, left: float, y: float, entries: Sequence[tuple[str, str, float, bool]]
) -> None:
    """Draws marks and their meanings in a line.

    Args:
        canvas: Figure.
        left: Left end, in points.
        y: Middle of the line, in points.
        entries: Meaning, colour, opacity, and whether the mark is an area; else it is a line.
    """
    x = left
    for text, colour, opacity, is_area in entries:
        if is_area:
            canvas.rectangle(x, y - 5, x + 14, y + 5, colour=colour, opacity=opacity)
        else:
            canvas.line([x, x + 14], [y, y], colour=colour, width=1.8)
        canvas.write(x + 19, y, text, size=SMALL_SIZE, colour=MUTED)
        x += 19 + text_width(text, SMALL_SIZE) + LINE_HEIGHT
