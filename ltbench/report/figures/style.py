"""Style of figures: sizes, fonts, and colours for colour-blind readers and dark pages.

A figure is 5.5 inches wide, the text width of a paper with one column.

Methods differ in colour, marker and dash, so that figures work in black and white. Colours, markers
and dashes repeat with periods of 7, 9 and 4, which gives 36 pairs of marker and dash. The first 12
lines of a figure have this style; the others are thin and grey behind them. Callers put the most
important methods first. Shot groups have no colours, because colours are methods: rare classes are
the darkest on a light page.

A page recolours figures: each colour is the fallback of a CSS variable of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib.style

FIGURE_WIDTH = 396.0
"""Width of a figure, in points: 5.5 inches."""
WIDE_WIDTH = 690.0
"""Width of a figure that fills a page of 920 pixels, in points."""
NARROW_WIDTH = 285.0
"""Width of a figure on a phone that is 390 pixels wide, in points."""
FONT_SIZE = 11.0
"""Size of labels, in points."""
SMALL_SIZE = 10.0
"""Size of ticks, values and keys, in points."""
LINE_HEIGHT = 15.0
"""Height of a line of text, in points."""
MAX_COLOURED_LINES = 12
"""Number of lines of a figure that have a colour."""

INK = "#1b1f24"
"""Colour of names and of numbers that matter."""
MUTED = "#57606a"
"""Colour of axes and of other text."""
RULE = "#dde1e6"
"""Colour of grids and of marks in the background."""
SURFACE = "#ffffff"
"""Colour behind the figure."""
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#1a1a1a", "#e69f00", "#56b4e9")
"""Colours of Okabe and Ito (2008), without yellow, which is too pale on white."""
POSITIVE, NEGATIVE = SERIES[0], SERIES[1]
"""Colours of the two signs of a difference."""
CSS_VARIABLES: Mapping[str, str] = {
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    SURFACE: "--surface",
    **{colour: f"--series-{number}" for number, colour in enumerate(SERIES, start=1)},
}
"""Colour -> variable of a page that replaces it."""

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_DASHES = ("-", "--", "-.", ":")

with_figure_style = matplotlib.style.context(
    [
        "default",  # overrides the user's matplotlibrc
        {
            "font.family": "sans-serif",
            # The first is part of matplotlib.
            "font.sans-serif": ["DejaVu Sans", "Arial", "Helvetica"],
            "pdf.fonttype": 42,
            "svg.fonttype": "none",
            "text.parse_math": False,  # names of others may have dollar signs
            "path.simplify": False,
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

    def marker_arguments(self, size: float = 6.5) -> dict[str, Any]:
        """Returns keyword arguments of matplotlib for markers without a line.

        Args:
            size: Size of a circle, in points; other markers look as large.
        """
        return {
            "color": self.colour,
            "marker": self.marker,
            "markersize": size * _MARKER_SCALES.get(self.marker, 1.0),
            "markeredgecolor": SURFACE,
            "markeredgewidth": 0.6,
            "linestyle": "none",
        }

    def line_arguments(self) -> dict[str, Any]:
        """Returns keyword arguments of matplotlib for a line without markers."""
        return {"color": self.colour, "linestyle": self.dash, "linewidth": self.width}


_MARKER_SCALES = {"s": 0.88, "D": 0.8, "^": 1.05, "v": 1.05, "P": 1.1, "X": 1.1}
_BACKGROUND_STYLE = MethodStyle(RULE, "", "-", 1.0)


def method_style(position: int) -> MethodStyle:
    """Returns the style of the method at a position, from 0."""
    return MethodStyle(
        SERIES[position % len(SERIES)],
        _MARKERS[position % len(_MARKERS)],
        _DASHES[position % len(_DASHES)],
    )


def background_style() -> MethodStyle:
    """Returns the style of the lines beyond the 12th."""
    return _BACKGROUND_STYLE
