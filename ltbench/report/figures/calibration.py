"""Reliability diagrams, one panel each for methods or for shot groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Anchor, Canvas, Key
from ltbench.report.figures.looks import NO_LOOKS, MethodLooks
from ltbench.report.figures.method_rows import EMPHASISED, MoreMethods
from ltbench.report.figures.plot_frame import PlotFrame
from ltbench.report.figures.scales import Scale
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    INK,
    MAX_COLOURED_LINES,
    MUTED,
    RULE,
    SMALL_SIZE,
    MethodStyle,
    with_figure_style,
)
from ltbench.report.figures.text_size import text_width

ReliabilityBins = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Mean confidence, accuracy and share of the images of each bin, in percent."""

_COLUMNS = 3
_LEFT, _GAP = 28.0, 13.0  # points
_HEAD_HEIGHT, _ROW_GAP = 36.0, 8.0  # points
_MAX_PANEL = 220.0  # points
_AXIS_HEIGHT = 36.0  # points
_TICK_ANCHORS: tuple[Anchor, ...] = ("left", "center", "right")
_LOWEST = (80.0, 50.0, 0.0)  # ends of the axes, in percent: the first below all values
_GROUP_STYLES = {"many": MethodStyle(MUTED, "o", "-"), "medium": MethodStyle(MUTED, "s", "-")}
_FEW_STYLE = MethodStyle(INK, "D", "-", 2.0)


@dataclass(frozen=True)
class _Panel:
    """Panel of a diagram.

    Args:
        name: Full name.
        label: Short name, above the panel.
        style: Style of line and markers.
        bins: Bins of the images.
        error: Expected calibration error in percent.
    """

    name: str
    label: str
    style: MethodStyle
    bins: ReliabilityBins
    error: float


@with_figure_style
def draw_calibration(
    bins: Mapping[str, ReliabilityBins],
    errors: Mapping[str, float],
    *,
    looks: MethodLooks = NO_LOOKS,
) -> Canvas:
    """Draws accuracy over confidence in a panel for each method, and the line of a calibrated one.

    The area of a marker is proportional to the share of images in its bin. The lines of the other
    methods are pale in each panel. Beyond 12 methods, their number is given.

    Args:
        bins: Method -> mean confidence, accuracy and share of the images of each bin in percent,
            from `ltbench.analysis.metrics.reliability_bins`.
        errors: Method -> expected calibration error in percent.
        looks: Labels and styles of the methods on the page; the methods of the figure follow them.
    """
    looks = looks.including(bins)
    shown = list(bins)[:MAX_COLOURED_LINES]
    panels = [
        _Panel(name, looks.label(name), looks.style(name), bins[name], errors[name])
        for name in shown
    ]
    others = len(bins) - len(shown)
    return _draw_panels(panels, others, looks.key(shown))


@with_figure_style
def draw_group_calibration(
    bins: Mapping[str, ReliabilityBins], errors: Mapping[str, float]
) -> Canvas:
    """Draws accuracy over confidence in a panel for each shot group of one method.

    Args:
        bins: Shot group -> mean confidence, accuracy and share of the images of each bin in
            percent; a group without images is left out.
        errors: Shot group -> expected calibration error in percent.
    """
    panels = [
        _Panel(name, name, _GROUP_STYLES.get(name, _FEW_STYLE), each, errors[name])
        for name, each in bins.items()
    ]
    return _draw_panels(panels, 0, Key([], FIGURE_WIDTH))


def _draw_panels(panels: Sequence[_Panel], others: int, key: Key) -> Canvas:
    columns = max(1, min(len(panels), _COLUMNS))
    rows = -(-len(panels) // columns)
    size = min((FIGURE_WIDTH - _LEFT - 6 - _GAP * (columns - 1)) / columns, _MAX_PANEL)
    more = MoreMethods([f"{others} more methods have no panel."] if others else [])
    row = _HEAD_HEIGHT + size + _ROW_GAP
    bottom = 16 + row * rows
    canvas = Canvas(
        "Reliability diagram", FIGURE_WIDTH, bottom + _AXIS_HEIGHT - 8 + more.height + key.height
    )
    canvas.write(0, 8, "accuracy, %", size=SMALL_SIZE, colour=MUTED)
    for place, panel in enumerate(panels):
        left = _LEFT + (size + _GAP) * (place % columns)
        top = 16 + row * (place // columns) + _HEAD_HEIGHT
        frame = PlotFrame(left, top, left + size, top + size)
        is_first = place % columns == 0
        is_last = place + columns >= len(panels)
        _draw_panel(canvas, frame, panel, panels, named=(is_first, is_last))
    middle = _LEFT + ((size + _GAP) * columns - _GAP) / 2
    canvas.write(
        *(middle, bottom + 18, "confidence, %"), anchor="center", size=SMALL_SIZE, colour=MUTED
    )
    more.draw(canvas, bottom + _AXIS_HEIGHT - 8)
    key.draw(canvas)
    return canvas


def _draw_panel(
    canvas: Canvas,
    frame: PlotFrame,
    panel: _Panel,
    panels: Sequence[_Panel],
    *,
    named: tuple[bool, bool],
) -> None:
    """Draws a panel; `named` says whether the two axes have numbers."""
    low = _lowest(panels)
    ticks = (low, (low + 100) / 2, 100.0)
    x = Scale(low, 100, frame.left, frame.right, ticks)
    y = Scale(low, 100, frame.bottom, frame.top, ticks)
    bold = panel.name in EMPHASISED
    canvas.dots(frame.left + 4, frame.top - 24, **panel.style.marker_arguments(6.5))
    room = frame.right - frame.left - 10
    size = SMALL_SIZE * min(1.0, room / text_width(panel.label, SMALL_SIZE, bold=bold))
    text = canvas.write(frame.left + 11, frame.top - 24, panel.label, size=size, bold=bold)
    if panel.label != panel.name:
        canvas.tip(text, panel.name)
    error = f"ECE {panel.error:.1f}" if np.isfinite(panel.error) else "ECE unknown"
    canvas.write(frame.left + 11, frame.top - 11, error, size=SMALL_SIZE, colour=MUTED)
    for scale, is_named in ((y, named[0]), (x, named[1])):
        for tick in ticks:
            at = scale.at(tick)
            ends = [frame.left, frame.right] if scale is y else [frame.top, frame.bottom]
            canvas.grid_line(*((ends, [at, at]) if scale is y else ([at, at], ends)))
            if is_named:
                where = (frame.left - 5, at) if scale is y else (at, frame.bottom + 10)
                anchor: Anchor = "right" if scale is y else _TICK_ANCHORS[ticks.index(tick)]
                canvas.write(*where, f"{tick:g}", anchor=anchor, size=SMALL_SIZE, colour=MUTED)
    canvas.line(x([low, 100]), y([low, 100]), dash=(0, (4, 3)), width=0.8)
    others = [np.append(np.stack(other.bins[:2]), [[np.nan]] * 2, 1) for other in panels]
    others = [line for line, other in zip(others, panels, strict=True) if other is not panel]
    if others:  # one line with gaps keeps pages small
        confidences, accuracies = np.hstack(others)
        canvas.line(x(confidences), y(accuracies), colour=RULE, width=1.0, layer=1)
    confidence, accuracy, share = panel.bins
    colour = panel.style.colour
    gap = np.column_stack(
        [[*x(confidence), *x(confidence)[::-1]], [*y(accuracy), *y(confidence)[::-1]]]
    )
    if len(confidence) > 1:
        canvas.area(gap, colour=colour, opacity=0.12)
    canvas.line(x(confidence), y(accuracy), colour=colour, width=panel.style.width, layer=3)
    for one, right, part in zip(confidence, accuracy, share, strict=True):
        size = float(np.sqrt(9 + 0.6 * part))
        dot = canvas.dots(x(one), y(right), **panel.style.marker_arguments(size))
        canvas.tip(
            dot,
            f"{panel.name}: confidence {one:.1f} %, accuracy {right:.1f} %, "
            f"{part:.1f} % of the images",
        )


def _lowest(panels: Sequence[_Panel]) -> float:
    """Returns the lower end of all axes."""
    seen = [float(np.min(part)) for panel in panels for part in panel.bins[:2] if len(part)]
    return next(low for low in _LOWEST if low == 0 or low <= min(seen, default=0.0))
