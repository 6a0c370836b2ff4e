"""Matrix of the differences between all pairs of methods."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ltbench.report.figures.label_text import shorten_names
from ltbench.report.figures.style import (
    LINE_HEIGHT,
    new_figure,
    set_ticks,
    text_width,
    with_figure_style,
)

_MAX_NUMBERED_METHODS = 12  # with more, cells are too small for numbers
_MAX_SIGNED_METHODS = 6  # with more, cells are too small for plus signs
_ROW_HEIGHT = 31.0  # points
_MIN_COLOUR_RANGE = 2.0  # percent points; smaller differences do not get the full colour


@with_figure_style
def draw_significance_matrix(
    names: Sequence[str],
    differences: NDArray[np.float64],
    p: NDArray[np.float64],
    *,
    level: float = 0.95,
) -> Figure:
    """Draws the differences of all pairs as numbers and colours, with marks of significance.

    A significant difference has a black corner and black digits; others have grey digits. With more
    than 12 methods, a colour scale replaces the numbers.

    Args:
        names: (n,) names of the methods.
        differences: (n, n) accuracy of the row minus that of the column, in percent points; NaN
            where unknown.
        p: (n, n) p values of the differences.
        level: Confidence level, 0 to 1; p below 1 - level is significant.
    """
    n = len(names)
    numbered = n <= _MAX_NUMBERED_METHODS
    apart = ~np.eye(n, dtype=bool)
    shown = np.where(apart, differences, np.nan)
    known = np.abs(shown[np.isfinite(shown)])
    # Small differences stay pale, and black digits stay readable on all colours used.
    largest = max(float(known.max()) if known.size else 0.0, _MIN_COLOUR_RANGE)
    limit = 2.4 * largest

    rows = shorten_names(names, width=11, lines=2) if numbered else shorten_names(names, width=15)
    columns = rows if n <= _MAX_SIGNED_METHODS else shorten_names(names, width=15)
    top = max(text_width(line) for name in columns for line in name.split("\n"))
    row, rest = (_ROW_HEIGHT, 40) if numbered else (LINE_HEIGHT, 90)
    figure = new_figure("Pairwise differences", row * n + top + rest)
    axes = figure.subplots()
    mesh = axes.pcolormesh(
        shown, cmap="RdBu", vmin=-limit, vmax=limit, edgecolors="white", linewidth=1
    )
    for i, j in np.argwhere(apart & np.isfinite(differences)):
        significant = bool(p[i, j] < 1 - level)
        if significant:
            corner = [(j + 0.99, i + 0.02), (j + 0.99, i + 0.26), (j + 0.76, i + 0.02)]
            axes.fill(*zip(*corner, strict=True), color="black", linewidth=0)
        if numbered:
            axes.text(
                j + 0.5,
                i + 0.5,
                _format_difference(float(differences[i, j]), signed=n <= _MAX_SIGNED_METHODS),
                ha="center",
                va="center_baseline",
                color="black" if significant else "0.3",
            )
    axes.set_xlabel("row minus column, points" if numbered else "")
    if not numbered:
        bar = figure.colorbar(mesh, ax=axes, location="bottom", aspect=40)
        bar.ax.set_xlim(-largest, largest)
        bar.set_label("row minus column, points")
    for axis, texts in ((axes.xaxis, columns), (axes.yaxis, rows)):
        set_ticks(axis, list(np.arange(n) + 0.5))
        axis.set_ticklabels(texts)
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.tick_params(axis="x", labelrotation=90)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_ylim(n, 0)
    return figure


def _format_difference(value: float, *, signed: bool) -> str:
    """Returns a difference as a short text, without decimals from 10 points on."""
    rounded = round(value, 1)
    digits = f"{abs(rounded):.1f}" if abs(rounded) < 10 else f"{abs(value):.0f}"
    if not rounded:
        return digits
    if signed:
        return ("−" if value < 0 else "+") + digits  # noqa: RUF001
    return ("-" if value < 0 else "") + digits
