"""Histograms of the distances of features to the mean of their class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.group_panels import draw_legend
from ltbench.report.figures.looks import NO_LOOKS, MethodLooks
from ltbench.report.figures.scales import Scale, format_ticks, nice_ticks
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    INK,
    LINE_HEIGHT,
    MUTED,
    RULE,
    SMALL_SIZE,
    MethodStyle,
    with_figure_style,
)

MAX_ROWS = 6
"""Number of methods that have histograms."""
_ROW_HEIGHT = 74.0  # points
_ROW_GAP = 24.0  # points; the name of the method is in it
_PANEL_GAP = 14.0  # points
_LEFT = 9.0  # points
_TOP = 20.0  # points: names of the shot groups
_AXIS_HEIGHT = 37.0  # points
_AREA_OPACITY = 0.38
_SHOWN_SHARE = 0.998  # of the images; the others lie beyond the axis
_MAX_BINS = 40  # in the range that is shown


@dataclass(frozen=True, eq=False)
class DistanceCounts:
    """Numbers of images by their distance, of training and of test images.

    Args:
        edges: (B + 1,) edges of the bins.
        train: Shot group -> (B,) numbers of training images.
        test: Shot group -> (B,) numbers of test images.
    """

    edges: NDArray[np.float64]
    train: Mapping[str, NDArray[np.float64]]
    test: Mapping[str, NDArray[np.float64]]


@with_figure_style
def draw_intra_class_distances(
    histograms: Mapping[str, DistanceCounts],
    *,
    axis: str,
    looks: MethodLooks = NO_LOOKS,
) -> Canvas:
    """Draws a row per method and a panel per shot group: training images filled, test as a line.

    Areas are densities: each is 1. All panels share both axes; short lines at the axis are the
    means. Beyond six methods, only the first are drawn.

    Args:
        histograms: Method -> its histograms, the best first.
        axis: Name of the distance.
        looks: Labels and styles of the methods on the page; the methods of the figure follow them.
    """
    shown = dict(list(histograms.items())[:MAX_ROWS])
    looks = looks.including(histograms)
    groups = [name for name in ("many", "medium", "few") if _has_images(shown, name)]
    panel = (FIGURE_WIDTH - _LEFT - 12 - _PANEL_GAP * (len(groups) - 1)) / max(len(groups), 1)
    low, high = _distance_range(shown)
    ticks = nice_ticks(low, high, max(2, int(panel / 34)))
    densities = {name: _densities(one, low, high) for name, one in shown.items()}
    top = max((float(y.max()) for each in densities.values() for _, y in each.values()), default=1)
    key = looks.key(shown)
    bottom = _TOP + len(shown) * (_ROW_HEIGHT + _ROW_GAP)
    height = bottom + _AXIS_HEIGHT + LINE_HEIGHT + 4 + key.height
    canvas = Canvas("Intra-class distances", FIGURE_WIDTH, height)
    for j, group in enumerate(groups):
        start = _LEFT + j * (panel + _PANEL_GAP)
        scale = Scale(low, high, start, start + panel, tuple(ticks))
        few = group == "few"
        canvas.write(start, 8, group, bold=few, colour=INK if few else MUTED)
        if few:
            canvas.rectangle(
                *(start - 6, 0, start + panel + 6, bottom), colour=RULE, opacity=0.45, layer=0
            )
        for tick, text in zip(scale.ticks, format_ticks(scale.ticks), strict=True):
            canvas.write(
                *(scale.at(tick), bottom + 14, text),
                anchor="center",
                size=SMALL_SIZE,
                colour=MUTED,
            )
        for i, name in enumerate(shown):
            base = _TOP + (i + 1) * (_ROW_HEIGHT + _ROW_GAP)
            y = Scale(0.0, top, base, base - _ROW_HEIGHT)
            _draw_panel(canvas, shown[name], densities[name], group, scale, y, looks.style(name))
            canvas.hit(
                *(start, base - _ROW_HEIGHT, start + panel, base),
                f"{name}, {group}-shot: {_described(shown[name], group)}",
            )
    for i, name in enumerate(shown):
        y_name = _TOP + i * (_ROW_HEIGHT + _ROW_GAP) + 13
        label = canvas.write(_LEFT, y_name, looks.label(name))
        if looks.label(name) != name:
            canvas.tip(label, name)
    canvas.write(_LEFT, bottom + 29, axis, size=SMALL_SIZE, colour=MUTED)
    entries = [
        ("training images", MUTED, _AREA_OPACITY, True),
        ("test images, in the colour of the method", INK, 1.0, False),
    ]
    draw_legend(canvas, _LEFT, bottom + _AXIS_HEIGHT + 8, entries)
    key.draw(canvas)
    return canvas


def _has_images(shown: Mapping[str, DistanceCounts], group: str) -> bool:
    parts = (each.get(group) for one in shown.values() for each in (one.train, one.test))
    return any(part is not None and part.sum() > 0 for part in parts)


def _distance_range(shown: Mapping[str, DistanceCounts]) -> tuple[float, float]:
    """Returns the range of distances that has nearly all images of every panel."""
    lows, highs = [], []
    for one in shown.values():
        for counts in (*one.train.values(), *one.test.values()):
            total = float(counts.sum())
            if total > 0:
                sums = np.cumsum(counts) / total
                lows.append(one.edges[int(np.searchsorted(sums, 1 - _SHOWN_SHARE))])
                highs.append(one.edges[int(np.searchsorted(sums, _SHOWN_SHARE)) + 1])
    if not lows:
        return 0.0, 1.0
    low, high = float(min(lows)), float(max(highs))
    return (0.0 if low < 0.35 * high else low), high


def _densities(
    one: DistanceCounts, low: float, high: float
) -> dict[tuple[str, str], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Returns edges and densities of the visible bins by images and shot group."""
    first = int(np.searchsorted(one.edges, low, side="right")) - 1
    end = int(np.searchsorted(one.edges, high, side="left"))
    step = max(1, -(-(end - first) // _MAX_BINS))
    end = min(first + -(-(end - first) // step) * step, len(one.edges) - 1)
    starts = np.arange(max(first, 0), end, step)
    edges = np.append(one.edges[starts], one.edges[end])
    found = {}
    for images, each in (("train", one.train), ("test", one.test)):
        for group, counts in each.items():
            total = max(float(counts.sum()), 1.0)
            sums = np.add.reduceat(counts[:end].astype(float), starts)
            found[images, group] = edges, sums / total / np.diff(edges)
    return found


def _draw_panel(
    canvas: Canvas,
    one: DistanceCounts,
    densities: Mapping[tuple[str, str], tuple[NDArray[np.float64], NDArray[np.float64]]],
    group: str,
    x: Scale,
    y: Scale,
    style: MethodStyle,
) -> None:
    """Draws the densities of one method and shot group, above a base line with their means."""
    colour, base = style.colour, y.start
    for tick in x.ticks:
        canvas.grid_line([x.at(tick)] * 2, [y.end, base])
    for images in ("train", "test"):
        edges, heights = densities[images, group]
        at_x = np.clip(np.repeat(x(edges), 2), x.start, x.end)
        at_y = np.concatenate([[base], np.repeat(y(heights), 2), [base]])
        if images == "train":
            canvas.area(
                np.column_stack([at_x, at_y]), colour=MUTED, opacity=_AREA_OPACITY, layer=1.5
            )
        else:
            canvas.line(at_x, at_y, colour=colour, width=1.6, layer=3)
        mean = _mean(one, images, group)
        if np.isfinite(mean) and x.low <= mean <= x.high:
            tone = MUTED if images == "train" else colour
            canvas.line([x.at(mean)] * 2, [base, base + 6], colour=tone, width=2.2, layer=4)
    canvas.line([x.start, x.end], [base, base])


def _mean(one: DistanceCounts, images: str, group: str) -> float:
    """Returns the mean distance, each image at the middle of its bin; NaN without images."""
    counts = (one.train if images == "train" else one.test)[group]
    total = float(counts.sum())
    middles = (one.edges[1:] + one.edges[:-1]) / 2
    return float((counts * middles).sum() / total) if total else float("nan")


def _described(one: DistanceCounts, group: str) -> str:
    said = []
    for images, label in (("train", "training"), ("test", "test")):
        counts = (one.train if images == "train" else one.test)[group]
        mean = _mean(one, images, group)
        about = f", mean {mean:.3f}" if np.isfinite(mean) else ""
        said.append(f"{int(counts.sum()):,} {label} images{about}")
    return "; ".join(said)
