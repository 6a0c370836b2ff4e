"""Figure whose positions are points from its top left corner, with values to hover."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Polygon
from matplotlib.patches import Rectangle as RectanglePatch
from matplotlib.path import Path
from matplotlib.text import Text
from numpy.typing import ArrayLike, NDArray

from ltbench.io.text import line_text, terminal_text
from ltbench.report.figures.style import FONT_SIZE, INK, LINE_HEIGHT, MUTED, RULE, SMALL_SIZE
from ltbench.report.figures.text_size import text_width, wrap_parts

Anchor = Literal["left", "center", "right"]
Box = tuple[float, float, float, float]
"""Rectangle: left, top, right, bottom, in points."""

_MOVE, _LINE, _CLOSE = Path.MOVETO, Path.LINETO, Path.CLOSEPOLY
_KEY_GAP = 14.0  # points between the entries of a key
_BASELINE_SHARE = 0.36  # of the font size, from the middle of a line down to the baseline
HIT_PREFIX = "hit-"
"""Beginning of the id of an invisible area that has a value."""
TIP_PREFIX = "tip-"
"""Beginning of the id of a mark that has a value."""


class Canvas(Figure):
    """Figure drawn mark by mark.

    Args:
        title: Title for screen readers; not drawn.
        width: Width in points.
        height: Height in points.
    """

    def __init__(self, title: str, width: float, height: float) -> None:
        super().__init__(figsize=(width / 72, height / 72))
        self.set_label(title)
        self.width, self.height = width, height
        self.tips: dict[str, str] = {}
        """Id of a mark -> its values as text."""
        self._plane = self.add_axes((0.0, 0.0, 1.0, 1.0))
        self._plane.set_xlim(0, width)
        self._plane.set_ylim(height, 0)
        self._plane.set_axis_off()

    def write(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: Anchor = "left",
        size: float = FONT_SIZE,
        colour: str = INK,
        bold: bool = False,
        turned: bool = False,
    ) -> Text:
        """Writes a line of text; `y` is the middle of its letters.

        Args:
            x: Position of the anchor.
            y: Middle of the line.
            text: Text; hidden characters are replaced.
            anchor: Part of the text that is at `x`.
            size: Font size.
            colour: Colour.
            bold: Whether the text is bold.
            turned: Whether the text reads from bottom to top, centred on (x, y).
        """
        weight = "bold" if bold else "normal"
        more: dict[str, Any] = {"fontsize": size, "color": colour, "fontweight": weight}
        if turned:
            more |= {"rotation": 90, "ha": "center", "va": "center", "rotation_mode": "default"}
        else:
            more |= {"ha": anchor, "va": "baseline"}
            y += _BASELINE_SHARE * size
        return self._plane.text(x, y, line_text(text), **more)

    def line(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        colour: str = MUTED,
        width: float = 0.8,
        dash: Any = "-",
        layer: float = 2,
        step: bool = False,
    ) -> Line2D:
        """Draws a line through points; values that are not finite interrupt it."""
        (line,) = self._plane.plot(
            *(np.asarray(x, dtype=float), np.asarray(y, dtype=float)),
            color=colour,
            linewidth=width,
            linestyle=dash,
            zorder=layer,
            clip_on=False,
            solid_capstyle="butt",
            drawstyle="steps-post" if step else "default",
        )
        return line

    def dots(self, x: ArrayLike, y: ArrayLike, *, layer: float = 4, **marker: Any) -> Line2D:
        """Draws markers at points.

        Args:
            x: Positions.
            y: Positions.
            layer: Layer; higher ones cover lower ones.
            marker: Keyword arguments from `MethodStyle.marker_arguments`.
        """
        at = np.atleast_1d(np.asarray(x, dtype=float)), np.atleast_1d(np.asarray(y, dtype=float))
        (line,) = self._plane.plot(*at, **marker, zorder=layer, clip_on=False)
        return line

    def rectangle(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        *,
        colour: str,
        opacity: float = 1.0,
        layer: float = 1,
    ) -> RectanglePatch:
        """Draws a filled rectangle."""
        patch = RectanglePatch(
            (left, top),
            right - left,
            bottom - top,
            facecolor=colour,
            alpha=opacity,
            linewidth=0,
            zorder=layer,
            clip_on=False,
        )
        self._plane.add_patch(patch)
        return patch

    def area(
        self, points: NDArray[np.float64], *, colour: str, opacity: float = 1.0, layer: float = 1
    ) -> Polygon:
        """Draws a filled polygon through points, (P, 2)."""
        patch = Polygon(
            points, facecolor=colour, alpha=opacity, linewidth=0, zorder=layer, clip_on=False
        )
        self._plane.add_patch(patch)
        return patch

    def cells(
        self, corners: NDArray[np.float64], *, colour: str, opacity: float = 1.0, layer: float = 1
    ) -> PathPatch:
        """Draws many polygons as one area, (P, V, 2): where they overlap, it is not darker."""
        polygons, sides, _ = corners.shape
        closed = np.concatenate([corners, corners[:, :1]], axis=1).reshape(-1, 2)
        codes = [_MOVE, *[_LINE] * (sides - 1), _CLOSE] * polygons
        patch = PathPatch(
            Path(closed, codes),
            facecolor=colour,
            alpha=opacity,
            linewidth=0,
            zorder=layer,
            clip_on=False,
        )
        self._plane.add_patch(patch)
        return patch

    def tip(self, mark: Artist, text: str) -> None:
        """Gives a mark its values, shown where a reader points at it.

        Args:
            mark: Mark of this figure.
            text: Values as a line of text.
        """
        name = f"{TIP_PREFIX}{len(self.tips)}"
        mark.set_gid(name)
        self.tips[name] = terminal_text(text)

    def hit(self, left: float, top: float, right: float, bottom: float, text: str) -> None:
        """Adds an invisible area with values: larger, and easier to point at, than its marks."""
        patch = self.rectangle(left, top, right, bottom, colour=INK, opacity=0.0, layer=9)
        name = f"{HIT_PREFIX}{len(self.tips)}"
        patch.set_gid(name)
        self.tips[name] = terminal_text(text)

    def grid_line(self, x: ArrayLike, y: ArrayLike) -> None:
        """Draws a line of the grid."""
        self.line(x, y, colour=RULE, width=0.7, layer=0.5)


class Key:
    """Key below a figure: marks and what they stand for, arranged in lines.

    Args:
        entries: Marks and their meanings, from `ShortLabels.key`.
        width: Width of the figure, in points.
    """

    def __init__(self, entries: Sequence[tuple[str, str]], width: float) -> None:
        texts: list[str] = []
        for mark, meaning in entries:
            space = text_width(" ", SMALL_SIZE)
            room = width - 2 - max(text_width(f"{mark} ", SMALL_SIZE), 4 * space)
            first, *others = wrap_parts(meaning.split(" "), room, SMALL_SIZE, space)
            texts.append(f"{mark} {' '.join(first)}")
            texts += [f"    {' '.join(line)}" for line in others]
        self._lines = wrap_parts(texts, width, SMALL_SIZE, _KEY_GAP)
        self.height = LINE_HEIGHT * len(self._lines) + (8 if self._lines else 0)
        """Height with the space above, in points; 0 without entries."""

    def draw(self, canvas: Canvas) -> None:
        """Draws the key at the bottom of a figure."""
        top = canvas.height - LINE_HEIGHT * len(self._lines)
        for number, line in enumerate(self._lines):
            x = 1.0
            for text in line:
                y = top + LINE_HEIGHT * (number + 0.4)
                canvas.write(x, y, text, size=SMALL_SIZE, colour=MUTED)
                x += text_width(text, SMALL_SIZE) + _KEY_GAP
