"""Accuracy on training and on test images of each method, by shot group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.group_panels import GroupPanels
from ltbench.report.figures.looks import NO_LOOKS, MethodLooks
from ltbench.report.figures.style import (
    INK,
    LINE_HEIGHT,
    MUTED,
    SMALL_SIZE,
    SURFACE,
    with_figure_style,
)
from ltbench.report.figures.text_size import text_width
from ltbench.report.figures.train_test_excess import format_number

_EDGE_WIDTH = 1.3  # points, of the mark of training accuracy


@with_figure_style
def draw_train_test_accuracy(
    names: Sequence[str],
    groups: Sequence[str],
    train: NDArray[np.float64],
    test: NDArray[np.float64],
    *,
    looks: MethodLooks = NO_LOOKS,
) -> Canvas:
    """Draws a row per method and a panel per shot group, with two marks joined by a line.

    The open mark is the accuracy on the training images, the filled one that on the test images,
    and the number the gap between them, in percent points.

    Args:
        names: (n,) names of the methods, the best first.
        groups: (g,) names of the shot groups, such as `few-shot`.
        train: (n, g) accuracies on training images in percent; NaN where unknown.
        test: (n, g) accuracies on test images in percent; NaN where unknown.
        looks: Labels and styles of the methods on the page; the methods of the figure follow them.
    """
    panels = GroupPanels(
        *("Accuracy on training and test images", names, groups),
        np.stack([train, test]),
        looks,
        axis="accuracy, %",
        number="-00.0",
        legend=LINE_HEIGHT,
    )
    canvas = panels.canvas
    for j, scale, end in panels.panels():
        for i, (name, y) in enumerate(zip(panels.rows.names, panels.middles, strict=True)):
            seen, unseen = float(train[i, j]), float(test[i, j])
            style = panels.rows.style(i)
            canvas.line(scale([seen, unseen]), [y, y], colour=style.colour, width=1.5)
            filled = style.marker_arguments(6.0)
            canvas.dots(scale(unseen), y, **filled)
            canvas.dots(scale(seen), y, **_opened(filled))
            if panels.number_width:
                gap = format_number(seen - unseen, 1)
                canvas.write(end, y, gap, anchor="right", size=SMALL_SIZE, colour=MUTED)
            panels.hit(
                *(scale, end, y),
                f"{name}, {groups[j]}: {_described(seen, unseen)}",
            )
    _draw_marks(canvas, panels.legend_top, numbered=panels.number_width > 0)
    return panels.finish()


def _opened(filled: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments of an open mark."""
    return filled | {
        "color": SURFACE,
        "markeredgecolor": filled["color"],
        "markeredgewidth": _EDGE_WIDTH,
    }


def _draw_marks(canvas: Canvas, top: float, *, numbered: bool) -> None:
    """Draws the meanings of the marks and of the number."""
    y, x = top + 5, 4.0
    mark: dict[str, Any] = {
        "marker": "o",
        "markersize": 6.0,
        "linestyle": "none",
        "markeredgecolor": INK,
    }
    for text, colour in (("training images", SURFACE), ("test images", INK)):
        canvas.dots(x, y, color=colour, markeredgewidth=_EDGE_WIDTH, **mark)
        canvas.write(x + 9, y, text, size=SMALL_SIZE, colour=MUTED)
        x += text_width(text, SMALL_SIZE) + 26
    if numbered:
        canvas.write(x - 4, y, "number: gap in points", size=SMALL_SIZE, colour=MUTED)


def _described(train: float, test: float) -> str:
    known = [
        f"{value:.1f} % on {images} images"
        for value, images in ((train, "training"), (test, "test"))
        if np.isfinite(value)
    ]
    gap = [f"gap {train - test:+.1f}"] if len(known) == 2 else []
    return ", ".join([*known, *gap]) or "unknown"
