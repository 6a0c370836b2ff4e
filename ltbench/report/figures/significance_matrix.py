"""Differences between all pairs of methods, as stairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.looks import NO_LOOKS, MethodLooks
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    INK,
    MUTED,
    NEGATIVE,
    POSITIVE,
    SMALL_SIZE,
    with_figure_style,
)
from ltbench.report.figures.text_size import text_width

_MAX_CELL_WIDTH = 38.0  # points
_MIN_NUMBER_WIDTH = 24.0  # points; narrower cells have no number
_MIN_SIGN_WIDTH = 28.0  # points; numbers of narrower cells have no plus sign
_ROW_HEIGHT, _LOW_ROW_HEIGHT = 21.0, 13.0  # points, with numbers and without
_MIN_FULL_DIFFERENCE = 2.0  # percent points; smaller differences do not get the full colour
_OPACITIES = (0.08, 0.62)  # of the smallest and the largest significant difference
_PALE = 0.35  # of the opacity, for a difference that is not significant
_LEGEND_HEIGHT = 40.0  # points


@with_figure_style
def draw_significance_matrix(
    names: Sequence[str],
    differences: NDArray[np.float64],
    p: NDArray[np.float64],
    *,
    level: float = 0.95,
    looks: MethodLooks = NO_LOOKS,
) -> Canvas:
    """Draws the difference of each pair once, in the column of the first and the row of the second.

    A method's name is at the end of its row and above its column. A significant difference has bold
    digits and a strong colour. Where cells are too narrow for numbers, colours show the size.

    Args:
        names: (n,) names of the methods, the best first.
        differences: (n, n) accuracy of the row minus that of the column, in percent points; NaN
            where unknown.
        p: (n, n) p values of the differences; NaN where unknown.
        level: Confidence level, 0 to 1; p below 1 - level is significant.
        looks: Labels and styles of the methods on the page; the methods of the figure follow them.
    """
    n = len(names)
    looks = looks.including(names)
    labels, key = [looks.label(name) for name in names], looks.key(names)
    widths = [text_width(label) + 8 for label in labels]
    cell = min(
        [_MAX_CELL_WIDTH, *((FIGURE_WIDTH - widths[i]) / i for i in range(1, n))], default=0.0
    )
    numbered = cell >= _MIN_NUMBER_WIDTH
    row = _ROW_HEIGHT if numbered else _LOW_ROW_HEIGHT
    height = row * n + _LEGEND_HEIGHT + key.height
    canvas = Canvas("Pairwise differences", FIGURE_WIDTH, height)
    known = np.abs(differences[~np.eye(n, dtype=bool) & np.isfinite(differences)])
    largest = max(float(known.max()) if known.size else 0.0, _MIN_FULL_DIFFERENCE)
    for i in range(n):
        top = row * i
        for j in range(i):
            lead = float(differences[j, i])  # of the method above
            if not np.isfinite(lead):
                continue
            significant = bool(p[i, j] < 1 - level)
            left, gap = cell * j, 1.0 if cell > 8 else 0.5
            low, high = _OPACITIES
            opacity = (low + (high - low) * abs(lead) / largest) * (1 if significant else _PALE)
            patch = canvas.rectangle(
                *(left, top + gap, left + cell - gap, top + row - gap),
                colour=POSITIVE if lead >= 0 else NEGATIVE,
                opacity=opacity,
            )
            canvas.tip(patch, _describe(names[j], names[i], lead, float(p[i, j]), significant))
            if numbered:
                canvas.write(
                    left + cell / 2,
                    top + row / 2,
                    _format_difference(lead, plus="+" if cell >= _MIN_SIGN_WIDTH else ""),
                    anchor="center",
                    size=SMALL_SIZE,
                    bold=significant,
                    colour=INK if significant else MUTED,
                )
        text = canvas.write(cell * i + 4, top + row / 2, labels[i])
        if labels[i] != names[i]:
            canvas.tip(text, names[i])
    _draw_legend(canvas, row * n, level, numbered=numbered)
    key.draw(canvas)
    return canvas


def _draw_legend(canvas: Canvas, top: float, level: float, *, numbered: bool) -> None:
    """Draws the meaning of the colours below the stairs."""
    strong = f"{'bold' if numbered else 'strong'}: significant at {100 * level:g} %"
    lines = (
        ((POSITIVE, "method of the column is better"), (NEGATIVE, "method of the row is better")),
        ((None, f"percent points; {strong}"),),
    )
    for number, entries in enumerate(lines):
        x, y = 1.0, top + 14 + 16 * number
        for colour, text in entries:
            if colour is not None:
                canvas.rectangle(x, y - 5, x + 14, y + 5, colour=colour, opacity=_OPACITIES[1])
                x += 19
            canvas.write(x, y, text, size=SMALL_SIZE, colour=MUTED)
            x += text_width(text, SMALL_SIZE) + 16


def _describe(above: str, below: str, lead: float, p: float, significant: bool) -> str:
    said = "p unknown" if not np.isfinite(p) else "p < 0.001" if p < 0.001 else f"p {p:.3f}"
    verdict = "significant" if significant else "not significant"
    return f"{above} minus {below}: {_format_difference(lead)} points, {said}, {verdict}"


def _format_difference(value: float, plus: str = "+") -> str:
    """Returns a difference as a short text, without decimals from 10 points on."""
    rounded = round(value, 1)
    digits = f"{abs(rounded):.1f}" if abs(rounded) < 10 else f"{abs(value):.0f}"
    return digits if not rounded else ("\N{MINUS SIGN}" if value < 0 else plus) + digits
