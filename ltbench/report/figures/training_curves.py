"""Training curves by epoch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.line_labels import LineLabels
from ltbench.report.figures.looks import NO_LOOKS, MethodLooks
from ltbench.report.figures.plot_frame import MAX_STRIPS, PlotFrame, strip_edges
from ltbench.report.figures.scales import Scale, finite_range, nice_ticks
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    MAX_COLOURED_LINES,
    SMALL_SIZE,
    with_figure_style,
)
from ltbench.report.figures.text_size import text_width

_MIN_HEIGHT = 190.0  # points of the plot
_TOP = 22.0  # points
_AXIS_HEIGHT = 36.0  # points
_MARKERS = 8  # on a line


@with_figure_style
def draw_training_curves(
    curves: Mapping[str, NDArray[np.float64]], ylabel: str, *, looks: MethodLooks = NO_LOOKS
) -> Canvas:
    """Draws the mean over seeds as a line over epochs, and the range of the seeds as a band.

    Names are at the right ends of the lines, in the order of their last values.

    Args:
        curves: Method -> (S, E) values, one row per seed; NaN where an epoch is missing.
        ylabel: Name of the values, with their unit.
        looks: Labels and styles of the methods on the page; the methods of the figure follow them.
    """
    names = list(curves)
    looks = looks.including(names)
    labels = LineLabels(names, looks)
    last = max(curve.shape[1] for curve in curves.values())
    known = {name: np.flatnonzero(np.isfinite(c).any(axis=0)) for name, c in curves.items()}
    means = {name: np.nanmean(c[:, known[name]], axis=0) for name, c in curves.items()}
    low, high = finite_range(np.concatenate([curve.ravel() for curve in curves.values()]))
    room = 0.05 * (high - low) or 0.5
    ticks = tuple(nice_ticks(low - room, high + room, 5))

    bottom = _TOP + max(_MIN_HEIGHT, labels.height)
    canvas = Canvas(f"{ylabel} by epoch", FIGURE_WIDTH, bottom + _AXIS_HEIGHT + labels.key.height)
    left = max((text_width(f"{tick:g}", SMALL_SIZE) for tick in ticks), default=0) + 14
    frame = PlotFrame(left, _TOP, FIGURE_WIDTH - labels.width, bottom)
    y = Scale(low - room, high + room, bottom, _TOP, ticks)
    side = max(0.02 * (last - 1), 0.3 if last == 1 else 0.1)
    x = Scale(1 - side, last + side, frame.left, frame.right, _epoch_ticks(last))
    frame.draw_y(canvas, y, ylabel)
    frame.draw_x(canvas, x, "epoch")

    # Points of a single epoch are drawn side by side.
    offsets = np.linspace(-0.2, 0.2, len(names) + 2)[1:-1] if last == 1 else np.zeros(len(names))
    opacity = min(0.14, 0.5 / len(names))  # bands overlap
    ends = []
    for i, (name, style) in enumerate(zip(names, looks.line_styles(names), strict=True)):
        at, values = x(known[name] + 1 + offsets[i]), curves[name][:, known[name]]
        lows, highs = y(np.nanmin(values, axis=0)), y(np.nanmax(values, axis=0))
        mean = y(means[name])
        if last == 1:
            canvas.line(np.repeat(at, 2), [lows[0], highs[0]], colour=style.colour, width=1.4)
        elif style.marker:
            outline = np.column_stack([[*at, *at[::-1]], [*lows, *highs[::-1]]])
            canvas.area(outline, colour=style.colour, opacity=opacity)
        line = style.line_arguments()
        canvas.line(
            at, mean, colour=line["color"], width=line["linewidth"], dash=line["linestyle"], layer=3
        )
        if style.marker:
            step = max(1, len(at) // _MARKERS)
            canvas.dots(at[::step], mean[::step], **style.marker_arguments(6.0))
        ends.append(float(mean[-1]) if len(at) and known[name][-1] == last - 1 else np.nan)
    labels.draw(canvas, frame.right, _TOP + 4, bottom - 4, ends, leaders=last > 1)
    _add_values(canvas, frame, x, curves, last)
    labels.key.draw(canvas)
    return canvas


def _epoch_ticks(last: int) -> tuple[float, ...]:
    steps = nice_ticks(1, last, 6, whole=True) if last > 1 else []
    return (1.0, *(step for step in steps if 1 + last / 12 < step <= last))


def _add_values(
    canvas: Canvas,
    frame: PlotFrame,
    x: Scale,
    curves: Mapping[str, NDArray[np.float64]],
    last: int,
) -> None:
    """Adds the values of an epoch to an area around it."""
    epochs = np.unique(np.linspace(1, last, min(last, MAX_STRIPS)).round().astype(int))
    edges = strip_edges(x(epochs), frame.left, frame.right)
    for epoch, left, right in zip(epochs, edges, edges[1:], strict=False):
        said = []
        for name, curve in list(curves.items())[:MAX_COLOURED_LINES]:
            own = curve[:, epoch - 1] if epoch <= curve.shape[1] else np.empty(0)
            own = own[np.isfinite(own)]
            if own.size:
                bounds = f" ({own.min():.3g} to {own.max():.3g})" if own.size > 1 else ""
                said.append(f"{name} {own.mean():.3g}{bounds}")
        if said:
            text = "\n".join([f"epoch {epoch}", *said])
            canvas.hit(left, frame.top, right, frame.bottom, text)
