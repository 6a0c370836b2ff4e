"""Labels at the right ends of lines, in the order of the ends, so that no leaders cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.looks import MethodLooks
from ltbench.report.figures.style import (
    INK,
    LINE_HEIGHT,
    MAX_COLOURED_LINES,
    MUTED,
    RULE,
    MethodStyle,
)
from ltbench.report.figures.text_size import text_width

_SAMPLE_WIDTH = 18.0  # points of the piece of line before a label
_LEADER_WIDTH = 14.0  # points
_GAP = 5.0  # points


@dataclass(frozen=True)
class LineLabel:
    """Label of a line.

    Args:
        text: Label.
        style: Style of the line.
        end: Height of the line at its right end, in points; NaN where it ends earlier.
        tip: Full name of the method; empty where the label is the name.
    """

    text: str
    style: MethodStyle
    end: float
    tip: str = ""


class LineLabels:
    """Column of labels right of lines.

    Args:
        names: Names of the methods, the most important first; beyond the 12th, their number is
            given.
        looks: Labels and styles.
    """

    def __init__(self, names: Sequence[str], looks: MethodLooks) -> None:
        self._names, self._looks = names[:MAX_COLOURED_LINES], looks
        others = len(names) - len(self._names)
        self._others = f"{others} other{'s' if others > 1 else ''}" if others else ""
        texts = [looks.label(name) for name in self._names] + [self._others]
        self.width = _LEADER_WIDTH + _SAMPLE_WIDTH + _GAP + max(map(text_width, texts))
        """Width of the column, in points."""
        self.height = LINE_HEIGHT * (len(self._names) + bool(self._others))
        """Height that the labels need, in points."""
        self.key = looks.key(self._names)
        """Key of the labels."""

    def draw(
        self,
        canvas: Canvas,
        left: float,
        top: float,
        bottom: float,
        ends: Sequence[float],
        *,
        leaders: bool = True,
    ) -> None:
        """Draws the labels.

        Args:
            canvas: Figure.
            left: Right end of the lines, in points.
            top: Highest position of the labels, in points.
            bottom: Lowest position of the labels, in points.
            ends: Heights of the lines of the methods at their right ends, in points; NaN for a
                line that ends earlier.
            leaders: Whether thin lines join the ends and their labels.
        """
        labels = [
            LineLabel(
                text=self._looks.label(name),
                style=self._looks.style(name),
                end=end,
                tip="" if self._looks.label(name) == name else name,
            )
            for name, end in zip(self._names, ends, strict=False)
        ]
        labels.sort(key=lambda label: label.end if np.isfinite(label.end) else np.inf)
        if self._others:
            labels.append(LineLabel(self._others, MethodStyle(RULE, "", "-", 2.0), np.nan))
        wanted = np.array([label.end for label in labels])
        at = spread(np.where(np.isfinite(wanted), wanted, bottom), LINE_HEIGHT, top, bottom)
        for label, y in zip(labels, at, strict=True):
            sample = left + _LEADER_WIDTH
            if leaders and np.isfinite(label.end):
                canvas.line([left + 3, sample - 2], [label.end, y], width=0.6)
            line = label.style.line_arguments()
            canvas.line(
                [sample, sample + _SAMPLE_WIDTH],
                [y, y],
                colour=line["color"],
                width=line["linewidth"],
                dash=line["linestyle"],
            )
            if label.style.marker:
                canvas.dots(sample + _SAMPLE_WIDTH / 2, y, **label.style.marker_arguments(6.0))
            is_other = not label.style.marker
            text = canvas.write(
                sample + _SAMPLE_WIDTH + _GAP,
                y,
                label.text,
                colour=MUTED if is_other else INK,
            )
            if label.tip:
                canvas.tip(text, label.tip)


def spread(
    wanted: NDArray[np.float64], distance: float, low: float, high: float
) -> NDArray[np.float64]:
    """Returns positions near wanted ones, in the same order and not closer than a distance.

    The sum of squared moves is minimal (isotonic regression), before the ends of the range are
    respected.

    Args:
        wanted: (n,) positions, ascending.
        distance: Smallest distance between neighbours.
        low: Lowest position.
        high: Highest position; ignored where the range is too small.
    """
    steps = distance * np.arange(len(wanted))
    blocks: list[tuple[float, int]] = []  # mean and size of neighbours that touch
    for value in wanted - steps:
        blocks.append((float(value), 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (second, b), (first, a) = blocks.pop(), blocks.pop()
            blocks.append(((first * a + second * b) / (a + b), a + b))
    found = np.concatenate([np.full(size, mean) for mean, size in blocks] or [np.empty(0)])
    most = high - steps[-1] if len(steps) else high
    return np.asarray(np.clip(found, low, max(most, low)) + steps, dtype=np.float64)
