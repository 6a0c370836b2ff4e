"""Rare classes, and the classes that take their images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.comparison.short_labels import leading_words
from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.scales import Scale
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    INK,
    MUTED,
    NEGATIVE,
    POSITIVE,
    RULE,
    SMALL_SIZE,
    with_figure_style,
)
from ltbench.report.figures.text_size import text_width

MAX_ROWS = 25
"""Number of classes that have a row."""
_MAX_LETTERS = 20  # of a class, if words allow
_ROW_HEIGHT = 19.0  # points
_HEAD_HEIGHT = 20.0  # points
_FOOT_HEIGHT = 56.0  # points: axis and legend
_CORRECT_OPACITY = 0.55
_TAKER_OPACITIES = {"many": 0.75, "medium": 0.5, "few": 0.34}
_PADDING = 4.0  # points around a name in a bar


@dataclass(frozen=True)
class Taker:
    """Class that is predicted for images of another class.

    Args:
        name: Name of the class.
        group: Shot group of the class: `many`, `medium` or `few`.
        share: Percentage of the images that it takes.
    """

    name: str
    group: str
    share: float


@with_figure_style
def draw_takers(
    classes: Sequence[str],
    train_images: NDArray[np.int64],
    correct: NDArray[np.float64],
    takers: Sequence[Sequence[Taker]],
) -> Canvas:
    """Draws a bar per class: its correct predictions, then the classes that take its images.

    Takers have a colour that is strong for frequent classes, and their name where it fits. Beyond
    25 classes, only the first are drawn.

    Args:
        classes: (r,) names of the classes, the worst first.
        train_images: (r,) number of training images of each class.
        correct: (r,) percentages of correct predictions; NaN for a class without test images.
        takers: (r,) takers of each class, the largest first; the rest of the bar is other classes.
    """
    shown = min(len(classes), MAX_ROWS)
    labels = [leading_words(name, _MAX_LETTERS) for name in classes[:shown]]
    counts = [f"{count:,}" for count in train_images[:shown]]
    count_end = max(map(text_width, labels), default=0.0) + 14
    count_end += max((text_width(count, SMALL_SIZE) for count in counts), default=0.0)
    count_end = max(count_end, text_width("training images", SMALL_SIZE))
    x = Scale(0, 100, count_end + 8, FIGURE_WIDTH - 10, (0, 50, 100))
    bottom = _HEAD_HEIGHT + _ROW_HEIGHT * shown
    canvas = Canvas("Predictions for rare classes", FIGURE_WIDTH, bottom + _FOOT_HEIGHT)
    canvas.write(*(count_end, 9, "training images"), anchor="right", size=SMALL_SIZE, colour=MUTED)
    canvas.write(x.start, 9, "predicted as", size=SMALL_SIZE, colour=MUTED)
    for i in range(shown):
        y = _HEAD_HEIGHT + _ROW_HEIGHT * (i + 0.5)
        text = canvas.write(0, y, labels[i])
        if labels[i] != classes[i]:
            canvas.tip(text, classes[i])
        canvas.write(count_end, y, counts[i], anchor="right", size=SMALL_SIZE, colour=MUTED)
        _draw_bar(canvas, x, y, classes[i], float(correct[i]), takers[i])
    for tick in x.ticks:
        canvas.write(
            *(x.at(tick), bottom + 9, f"{tick:g} %"),
            anchor="left" if tick == 0 else "right" if tick == 100 else "center",
            size=SMALL_SIZE,
            colour=MUTED,
        )
    _draw_legend(canvas, bottom + 30)
    return canvas


def _draw_bar(
    canvas: Canvas, x: Scale, y: float, name: str, correct: float, takers: Sequence[Taker]
) -> None:
    if not np.isfinite(correct):
        canvas.write(x.start, y, "no test images", size=SMALL_SIZE, colour=MUTED)
        return
    parts = [("correct", POSITIVE, _CORRECT_OPACITY, correct, f"{correct:.0f} %")]
    parts += [
        (
            f"taken by {taker.name} ({taker.group})",
            NEGATIVE,
            _TAKER_OPACITIES.get(taker.group, _TAKER_OPACITIES["few"]),
            taker.share,
            taker.name,
        )
        for taker in takers
    ]
    rest = 100 - sum(share for *_, share, _ in parts)
    parts.append(("taken by other classes", RULE, 1.0, rest if rest > 0.05 else 0.0, ""))
    start = 0.0
    for said, colour, opacity, share, label in parts:
        if share <= 0:
            continue
        left, right = x.at(start), x.at(start + share)
        patch = canvas.rectangle(
            *(left, y - _ROW_HEIGHT / 2 + 2, max(right - 1, left + 0.5), y + _ROW_HEIGHT / 2 - 2),
            colour=colour,
            opacity=opacity,
        )
        canvas.tip(patch, f"{name}: {share:.1f} % {said}")
        shorter = leading_words(label, len(label) - 1) if said != "correct" else ""
        for text in (label, shorter):
            if text and text_width(text, SMALL_SIZE) + 2 * _PADDING <= right - left:
                canvas.write(left + _PADDING, y, text, size=SMALL_SIZE, colour=INK)
                break
        start += share


def _draw_legend(canvas: Canvas, y: float) -> None:
    x = 1.0
    entries = [("correct", POSITIVE, _CORRECT_OPACITY)]
    entries += [
        (f"{'taken by ' if group == 'many' else ''}{group}-shot", NEGATIVE, opacity)
        for group, opacity in _TAKER_OPACITIES.items()
    ]
    entries.append(("others", RULE, 1.0))
    for text, colour, opacity in entries:
        if x + 17 + text_width(text, SMALL_SIZE) > canvas.width:
            x, y = 1.0, y + 16
        canvas.rectangle(x, y - 5, x + 12, y + 5, colour=colour, opacity=opacity)
        canvas.write(x + 17, y, text, size=SMALL_SIZE, colour=MUTED)
        x += 17 + text_width(text, SMALL_SIZE) + 12
