"""Rows of a figure, one per method: rank, label, and what is common to figures with rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.looks import MethodLooks
from ltbench.report.figures.style import (
    LINE_HEIGHT,
    MAX_COLOURED_LINES,
    MUTED,
    RULE,
    SMALL_SIZE,
    MethodStyle,
)
from ltbench.report.figures.text_size import text_width, wrap_parts

EMPHASISED = ("few", "few-shot")
"""Metrics that a benchmark of long tails is about."""
_MAX_RANK_LINES = 5  # with more, ranks alone say where they change
_OTHER_STYLE = MethodStyle(MUTED, "o", "-")


class MethodRows:
    """Rows of the first methods.

    Args:
        names: Names of all methods, the best first.
        looks: Labels and styles.
        ranks: Ranks of the methods, None for a method without a rank; empty for no ranks.
        most: Maximum number of rows.
    """

    def __init__(
        self, names: Sequence[str], looks: MethodLooks, ranks: Sequence[int | None], most: int
    ) -> None:
        self.names, self.others = list(names[:most]), [looks.label(name) for name in names[most:]]
        self.looks = looks
        self._labels = [looks.label(name) for name in self.names]
        self._ranks = ["" if rank is None else str(rank) for rank in ranks[:most]]
        self._rank_width = max((text_width(r, SMALL_SIZE) for r in self._ranks), default=0.0)
        self._rank_width += 8 if self._ranks else 0
        self.width = self._rank_width + max((text_width(t) for t in self._labels), default=0.0)
        """Width of ranks and labels, in points."""

    def style(self, row: int) -> MethodStyle:
        """Returns the style of a row: grey circles beyond the 12th."""
        return self.looks.style(self.names[row]) if row < MAX_COLOURED_LINES else _OTHER_STYLE

    def draw(
        self,
        canvas: Canvas,
        middles: NDArray[np.floating],
        height: float,
        *,
        right: float,
        lift: float = 0.0,
    ) -> None:
        """Draws ranks, labels, and lines between rows.

        Args:
            canvas: Figure.
            middles: (n,) positions of the rows, in points.
            height: Height of a row, in points.
            right: Right end of the rows, in points.
            lift: Distance of the text above the middle of its row, in points.
        """
        steps = [i for i in range(1, len(middles)) if self._ranks and self._is_new_rank(i)]
        for i, (label, y) in enumerate(zip(self._labels, middles, strict=True)):
            if i:
                parted = i in steps and len(steps) <= _MAX_RANK_LINES
                top = y - height / 2
                canvas.line(
                    [0, right],
                    [top, top],
                    colour=MUTED if parted else RULE,
                    width=0.8 if parted else 0.6,
                    layer=0.4,
                )
            if self._ranks:
                canvas.write(
                    self._rank_width - 7,
                    y - lift,
                    self._ranks[i],
                    anchor="right",
                    size=SMALL_SIZE,
                    colour=MUTED,
                )
            text = canvas.write(self._rank_width, y - lift, label)
            if label != self.names[i]:
                canvas.tip(text, self.names[i])

    def _is_new_rank(self, row: int) -> bool:
        return self._ranks[row] != self._ranks[row - 1]


class MoreMethods:
    """Sentence below a figure that names the methods without a row.

    Args:
        lines: Lines of the sentence.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self.height = LINE_HEIGHT * len(lines)

    def draw(self, canvas: Canvas, top: float) -> None:
        """Draws the sentence below a position, in points."""
        for number, line in enumerate(self._lines):
            canvas.write(1, top + LINE_HEIGHT * (number + 0.5), line, size=SMALL_SIZE, colour=MUTED)


def more_methods(labels: Sequence[str], values: NDArray[np.float64], width: float) -> MoreMethods:
    """Returns the sentence about the methods that a figure has no row for.

    Args:
        labels: (k,) labels of these methods.
        values: (k,) values in percent.
        width: Width of the figure, in points.
    """
    if not labels:
        return MoreMethods([])
    named = [f"{label} {format_value(value)}" for label, value in zip(labels, values, strict=True)]
    parts = [f"{len(labels)} more:", *(f"{one}," for one in named[:-1]), f"{named[-1]}."]
    lines = wrap_parts(parts, width - 2, SMALL_SIZE, text_width(" ", SMALL_SIZE))
    return MoreMethods([" ".join(line) for line in lines])


def best_values(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Returns which values are shown as the largest, with one decimal."""
    rounded = np.round(values, 1)
    known = rounded[np.isfinite(rounded)]
    return rounded == known.max() if known.size else np.zeros(len(values), dtype=bool)


def format_value(value: float) -> str:
    """Returns a percentage as text; a dash where it is unknown."""
    return f"{value:.1f}" if np.isfinite(value) else "\N{EN DASH}"


def describe_value(value: float, low: float, high: float) -> str:
    """Returns a percentage with its interval as words."""
    if not np.isfinite(value):
        return "unknown"
    bounds = f" (interval {low:.1f} to {high:.1f})" if np.isfinite(low + high) else ""
    return f"{value:.1f} %{bounds}"
