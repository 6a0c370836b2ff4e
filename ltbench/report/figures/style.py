"""Style of figures: one width, one font size, colours for colour-blind readers.

A figure is 5.5 inches wide, the text width of a paper with one column. A phone 360 pixels wide
shows it at 68 %, where letters of 12 points are still 8 points high.

Methods differ in colour, marker and dash, so that figures work in black and white. Colours, markers
and dashes repeat with periods of 7, 9 and 4, which gives 36 pairs of marker and dash. The first 12
lines of a figure have this style; the others are thin and grey behind them. Callers put the most
important methods first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib.style
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from ltbench.report.figures.label_text import shorten_names

FIGURE_WIDTH = 396.0
"""Width of a figure, in points: 5.5 inches."""
LINE_HEIGHT = 17.0
"""Height of a line of text, in points."""
MAX_COLOURED_LINES = 12
"""Number of lines of a figure that have a colour."""
BACKGROUND_GREY = "0.72"

_FONT_SIZE = 12
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
"""Colours of Okabe and Ito (2008), without yellow, which is too pale on white."""
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_DASHES = ("-", "--", "-.", ":")

with_figure_style = matplotlib.style.context(
    [
        "default",  # overrides the user's matplotlibrc
        {
            "font.family": "sans-serif",
            "font.sans-serif": [
                "DejaVu Sans",
                "Arial",
                "Helvetica",
            ],  # the first is part of matplotlib
            "font.size": _FONT_SIZE,
            "axes.labelsize": _FONT_SIZE,
            "axes.titlesize": _FONT_SIZE,
            "legend.fontsize": _FONT_SIZE,
            "xtick.labelsize": _FONT_SIZE,
            "ytick.labelsize": _FONT_SIZE,
            "axes.axisbelow": True,
            "axes.edgecolor": "0.4",
            "axes.linewidth": 0.6,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.grid": True,
            "grid.color": "0.88",
            "grid.linewidth": 0.6,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "legend.frameon": False,
            "lines.linewidth": 1.6,
            "lines.markersize": 6,
            "pdf.fonttype": 42,
            "svg.fonttype": "none",
            "text.parse_math": False,  # names of others may have dollar signs
        },
    ]
)
"""Decorator that applies this style within a function, and nowhere else."""


@dataclass(frozen=True)
class MethodStyle:
    """Style of a method's line and markers.

    Args:
        colour: Colour of line and markers.
        marker: Marker in matplotlib's notation; empty for none.
        dash: Line style in matplotlib's notation.
        width: Width of the line, in points.
    """

    colour: str
    marker: str
    dash: str
    width: float = 1.6

    def line_arguments(self) -> dict[str, Any]:
        """Returns keyword arguments of a matplotlib line."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "linestyle": self.dash,
            "linewidth": self.width,
            "markeredgecolor": "white",
            "markeredgewidth": 0.6,
            "markersize": 7,
            "zorder": 3 if self.marker else 2,
        }


_BACKGROUND_STYLE = MethodStyle(BACKGROUND_GREY, "", "-", 0.8)


def method_style(position: int) -> MethodStyle:
    """Returns the style of the method at a position, from 0."""
    return MethodStyle(
        _COLOURS[position % len(_COLOURS)],
        _MARKERS[position % len(_MARKERS)],
        _DASHES[position % len(_DASHES)],
    )


def line_styles(count: int) -> list[MethodStyle]:
    """Returns the styles of lines: thin and grey beyond the 12th."""
    return [method_style(i) if i < MAX_COLOURED_LINES else _BACKGROUND_STYLE for i in range(count)]


def new_figure(title: str, height: float) -> Figure:
    """Returns an empty figure.

    Args:
        title: Title for screen readers; not drawn.
        height: Height in points.
    """
    figure = Figure(figsize=(FIGURE_WIDTH / 72, height / 72), layout="constrained")
    figure.set_label(title)
    return figure


def add_legend(figure: Figure, handles: Sequence[Artist], names: Sequence[str]) -> None:
    """Adds a legend below, in as many columns as fit, and increases the height accordingly."""
    columns = min(len(names), max(1, int(FIGURE_WIDTH / (48 + max(map(text_width, names))))))
    figure.legend(
        handles, names, loc="outside lower center", ncols=columns, columnspacing=1.2, borderpad=0.2
    )
    rows = -(-len(names) // columns)
    figure.set_figheight(float(figure.get_figheight()) + (LINE_HEIGHT * rows + 6) / 72)


def add_line_legend(figure: Figure, names: Sequence[str], suffixes: Sequence[str] = ()) -> None:
    """Adds a legend of methods drawn in the styles of `line_styles`.

    Args:
        figure: Figure without a legend.
        names: Names of the methods.
        suffixes: Texts after the names; none where empty.
    """
    looks = line_styles(len(names))
    texts = shorten_names(names, width=30 if suffixes else 40)
    texts = [text + more for text, more in zip(texts, suffixes or [""] * len(texts), strict=True)]
    shown = min(len(names), MAX_COLOURED_LINES)
    if others := len(names) - shown:
        texts = [*texts[:shown], f"{others} other{'s' if others > 1 else ''}"]
    add_legend(
        figure, [Line2D([], [], **one.line_arguments()) for one in looks[: len(texts)]], texts
    )


def text_width(text: str) -> float:
    """Returns the width of a line of text, in points."""
    return float(TextPath((0, 0), text, size=_FONT_SIZE).get_extents().width)


def set_percent_axis(axes: Axes, which: Literal["x", "y"], values: NDArray[np.float64]) -> None:
    """Sets limits and ticks of an axis of percentages, with ticks from 0 to 100 only."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 100.0)
    room = max(0.06 * (high - low), 0.5)
    low, high = low - room, high + room
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
    set_ticks(
        axis,
        [t for t in MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high) if 0 <= t <= 100],
    )


def set_ticks(axis: Axis, ticks: Sequence[float]) -> None:
    """Sets the major ticks of an axis, and removes the minor ones."""
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_minor_locator(NullLocator())
