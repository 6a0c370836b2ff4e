"""Similarity between classes of each method, as a map of class means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.looks import NO_LOOKS, MethodLooks
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    INK,
    MUTED,
    POSITIVE,
    RULE,
    SMALL_SIZE,
    with_figure_style,
)
from ltbench.report.figures.text_size import text_width
from ltbench.report.figures.train_test_excess import format_number

MAX_MAPS = 4
"""Number of methods that have a map."""
_MAX_CELLS = 10_000  # of all maps together; more are not visible, and enlarge the page
_LEVELS = 8  # shades
_TOP_SHADE = 0.92  # opacity of the largest cosine
_GAP = 20.0  # points between maps
_GROUP_WIDTH = 17.0  # points left of a map, for the names of groups
_HEAD_HEIGHT = 20.0  # points
_SIDE = 250.0  # points of a map that is alone
_LEGEND_HEIGHT = 30.0  # points
_NAME_EXCESS = 10.0  # points by which the name of a group may be longer than its side
_EXTREME_PERCENT = 1.0  # of the cosines, at both ends of the range
_OVERLAP = 0.35  # points, so that no gaps show between cells


@dataclass(frozen=True, eq=False)
class SimilarityMap:
    """Cosines between class means, over bins of classes.

    Args:
        edges: (B + 1,) numbers of classes before each bin, the most frequent class first.
        cosines: (B, B) mean cosine over pairs of different classes; NaN without such a pair.
        groups: Name of a shot group -> first class and end, in the same order of classes.
        means: Pair of shot groups -> mean cosine.
    """

    edges: NDArray[np.float64]
    cosines: NDArray[np.float64]
    groups: Mapping[str, tuple[int, int]]
    means: Mapping[tuple[str, str], float]


@with_figure_style
def draw_class_similarity(
    maps: Mapping[str, SimilarityMap], *, looks: MethodLooks = NO_LOOKS
) -> Canvas:
    """Draws a map per method: a darker cell is a larger cosine between the means of two classes.

    Classes are in the order of their training images, the most frequent first. Lines separate shot
    groups. All maps have the same shades. Beyond four methods, only the first are drawn.

    Args:
        maps: Method -> its map, the best first.
        looks: Labels and styles of the methods on the page; the methods of the figure follow them.
    """
    shown = dict(list(maps.items())[:MAX_MAPS])
    looks = looks.including(maps)
    columns = min(len(shown), 2)
    room = (FIGURE_WIDTH - 1 - _GAP * (columns - 1)) / max(columns, 1) - _GROUP_WIDTH
    side = min(room, _SIDE)
    lines = -(-len(shown) // 2)
    height = lines * (_HEAD_HEIGHT + side + _GROUP_WIDTH + 6)
    key = looks.key(shown)
    canvas = Canvas(
        "Similarity between classes", FIGURE_WIDTH, height + _LEGEND_HEIGHT + key.height
    )
    most = math.isqrt(_MAX_CELLS // max(len(shown), 1))
    small = {name: _reduced(one, most) for name, one in shown.items()}
    low, high = _bounds([cosines for _, cosines in small.values()])
    levels = np.linspace(low, high, _LEVELS + 1)
    for place, (name, one) in enumerate(shown.items()):
        left = _GROUP_WIDTH + place % 2 * (room + _GROUP_WIDTH + _GAP)
        top = place // 2 * (_HEAD_HEIGHT + side + _GROUP_WIDTH + 6) + _HEAD_HEIGHT
        title = canvas.write(left, top - 10, looks.label(name))
        if looks.label(name) != name:
            canvas.tip(title, name)
        _draw_map(canvas, *small[name], levels, left, top, side)
        _draw_groups(canvas, name, one, left, top, side)
    _draw_shades(canvas, levels, height)
    key.draw(canvas)
    return canvas


def _bounds(maps: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """Returns the range of the shades: of all cosines but the most extreme, 0.01 or wider."""
    values = np.concatenate([np.ravel(one) for one in maps]) if maps else np.zeros(0)
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, [_EXTREME_PERCENT, 100 - _EXTREME_PERCENT])
    return float(low), max(float(high), float(low) + 0.01)


def _reduced(one: SimilarityMap, most: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns edges and cosines with a limited number of bins: neighbouring bins become one."""
    bins = len(one.cosines)
    step = -(-bins // most)
    if step <= 1:
        return np.asarray(one.edges, dtype=float), one.cosines
    starts = np.arange(0, bins, step)
    known = np.isfinite(one.cosines)
    sums, counts = np.where(known, one.cosines, 0.0), known.astype(float)
    for axis in (0, 1):
        sums = np.add.reduceat(sums, starts, axis=axis)
        counts = np.add.reduceat(counts, starts, axis=axis)
    means = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return np.append(one.edges[starts], one.edges[-1]).astype(float), means


def _draw_map(
    canvas: Canvas,
    edges: NDArray[np.float64],
    cosines: NDArray[np.float64],
    levels: NDArray[np.float64],
    left: float,
    top: float,
    side: float,
) -> None:
    """Draws the cells of a map: for each level an area of all cells that reach it.

    The areas lie above each other, so that opacities add up and no gap shows between cells.
    """
    at = side * edges / max(float(edges[-1]), 1.0)
    shades = shade_opacities()
    unknown = ~np.isfinite(cosines)
    for row in np.flatnonzero(unknown.any(axis=1)).tolist():
        for first, end in _runs(unknown[row]):
            canvas.rectangle(
                *(left + at[first], top + at[row], left + at[end], top + at[row + 1]),
                colour=RULE,
                layer=1,
            )
    for level, opacity in zip([-np.inf, *levels[1:-1]], shades, strict=True):
        corners: list[tuple[float, float]] = []
        for row in range(len(cosines)):
            y, below = top + at[row], min(top + at[row + 1] + _OVERLAP, top + side)
            for first, end in _runs(~unknown[row] & (cosines[row] >= level)):
                x, right = left + at[first], min(left + at[end] + _OVERLAP, left + side)
                corners += [(x, y), (right, y), (right, below), (x, below)]
        if corners:
            canvas.cells(np.array(corners).reshape(-1, 4, 2), colour=POSITIVE, opacity=opacity)


def shade_opacities() -> NDArray[np.float64]:
    """Returns the opacity of each layer, so that sums of layers grow in equal steps."""
    totals = _TOP_SHADE * np.arange(1, _LEVELS + 1) / _LEVELS
    before = np.concatenate([[0.0], totals[:-1]])
    layers: NDArray[np.float64] = 1 - (1 - totals) / (1 - before)
    return layers


def _runs(member: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Returns first and end of each run of true values."""
    steps = np.flatnonzero(np.diff(np.concatenate([[0], member.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(steps[::2], steps[1::2], strict=True)]


def _draw_groups(
    canvas: Canvas, name: str, one: SimilarityMap, left: float, top: float, side: float
) -> None:
    """Draws the borders and names of shot groups, and gives each pair of them its mean."""
    total = max(float(one.edges[-1]), 1.0)
    canvas.line(
        [left, left + side, left + side, left, left],
        [top, top, top + side, top + side, top],
        colour=MUTED,
        width=0.7,
        layer=3,
    )
    at = {group: (side * a / total, side * b / total) for group, (a, b) in one.groups.items()}
    for group, (first, end) in at.items():
        if first > 0:
            x, y = left + first, top + first
            canvas.line([x, x], [top, top + side], colour=INK, width=0.9, layer=3)
            canvas.line([left, left + side], [y, y], colour=INK, width=0.9, layer=3)
        middle, bold = (first + end) / 2, group == "few"
        if text_width(group, SMALL_SIZE, bold=bold) > end - first + _NAME_EXCESS:
            continue
        look: dict[str, Any] = {"size": SMALL_SIZE, "colour": INK if bold else MUTED, "bold": bold}
        canvas.write(left + middle, top + side + 9, group, anchor="center", **look)
        canvas.write(left - 9, top + middle, group, turned=True, **look)
    for group, (first, end) in at.items():
        for other, (low, high) in at.items():
            mean = one.means.get((group, other), np.nan)
            canvas.hit(
                *(left + first, top + low, left + end, top + high),
                f"{name}, {group} and {other}: mean cosine {format_number(mean, 3)}",
            )


def _draw_shades(canvas: Canvas, levels: NDArray[np.float64], top: float) -> None:
    """Draws the shades and the cosines at their ends."""
    x, y = _GROUP_WIDTH, top + 14
    start = f"cosine {format_number(float(levels[0]), 2)} or less"
    canvas.write(x, y, start, size=SMALL_SIZE, colour=MUTED)
    x += text_width(start, SMALL_SIZE) + 6
    for number in range(1, _LEVELS + 1):
        opacity = _TOP_SHADE * number / _LEVELS
        canvas.rectangle(x, y - 5, x + 13, y + 5, colour=POSITIVE, opacity=opacity)
        x += 13
    end = f"{format_number(float(levels[-1]), 2)} or more"
    canvas.write(x + 6, y, end, size=SMALL_SIZE, colour=MUTED)
