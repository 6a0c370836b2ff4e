"""Placement of labels beside points without overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ltbench.report.figures.style import text_width

_LABEL_HEIGHT = 14.0  # points
_POINT_RADIUS = 6.0  # points
_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
_LABEL_DISTANCES = (3.0, 12.0, 24.0)  # points between a marker and its label

Box = tuple[float, float, float, float]
"""Rectangle: left, bottom, right, top, in points."""


def place_labels(
    axes: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    texts: Sequence[str],
    lines: Sequence[NDArray[np.float64]],
) -> None:
    """Labels points in order, each where it overlaps least with points, lines and earlier labels.

    A line connects a label to its point unless they are adjacent.

    Args:
        axes: Axes with final limits; the layout of the figure is fixed by this call.
        x: (n,) x coordinates in data units; points that are not finite get no label.
        y: (n,) y coordinates in data units.
        texts: (n,) labels of one line each.
        lines: Ends of horizontal and vertical lines that labels should not cover, (2, 2) each.
    """
    figure = axes.figure.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    scale = 72 / figure.dpi
    frame = axes.get_window_extent()
    inside = (frame.x0 * scale, frame.y0 * scale, frame.x1 * scale, frame.y1 * scale)
    points = axes.transData.transform(np.column_stack([x, y])) * scale
    shown = [i for i in range(len(texts)) if np.isfinite(points[i]).all()]
    taken: list[Box] = [
        _box_around(points[i][0], points[i][1], 2 * _POINT_RADIUS, 2 * _POINT_RADIUS) for i in shown
    ]
    for line in lines:
        (left, bottom), (right, top) = np.sort(axes.transData.transform(line) * scale, axis=0)
        taken.append((left - 1, bottom - 1, right + 1, top + 1))
    for i in shown:
        width = text_width(texts[i]) + 4
        options = [
            (
                side_x * (_POINT_RADIUS + distance + width / 2),
                side_y * (_POINT_RADIUS + distance + _LABEL_HEIGHT / 2),
            )
            for distance in _LABEL_DISTANCES
            for side_x, side_y in _SIDES
        ]
        boxes = [
            _box_around(points[i][0] + a, points[i][1] + b, width, _LABEL_HEIGHT)
            for a, b in options
        ]
        costs = [_covered_area(box, taken, inside) for box in boxes]
        best = int(np.argmin(costs))
        taken.append(boxes[best])
        joined = {"arrowstyle": "-", "color": "0.4", "linewidth": 0.7, "shrinkA": 0, "shrinkB": 3}
        axes.annotate(
            texts[i],
            (x[i], y[i]),
            options[best],
            textcoords="offset points",
            ha="center",
            va="center",
            zorder=4,
            arrowprops=joined if best >= len(_SIDES) else None,
        )


def _box_around(x: float, y: float, width: float, height: float) -> Box:
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _covered_area(box: Box, taken: Sequence[Box], inside: Box) -> float:
    """Returns the area of a box that overlaps others, plus three times the area outside."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    return sum(_overlap_area(box, other) for other in taken) + 3 * (
        area - _overlap_area(box, inside)
    )


def _overlap_area(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
