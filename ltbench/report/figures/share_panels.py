"""Accuracy by the learned share of the encoder: one small panel per shot group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.log_scale import LogScale, draw_zero, log_scale
from ltbench.report.figures.looks import MethodLooks
from ltbench.report.figures.method_rows import EMPHASISED, describe_value
from ltbench.report.figures.plot_frame import PlotFrame
from ltbench.report.figures.scales import Scale, finite_range, percent_scale
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    INK,
    LINE_HEIGHT,
    MAX_COLOURED_LINES,
    MUTED,
    RULE,
    SMALL_SIZE,
    MethodStyle,
    with_figure_style,
)
from ltbench.report.figures.text_size import text_width

_LEFT, _RIGHT = 38.0, 8.0  # points beside the panels
_GAP = 46.0  # points between two panels, with the ticks of the second
_TITLE_HEIGHT = 24.0  # points
_PANEL_HEIGHT = 118.0  # points
_AXIS_HEIGHT = 40.0  # points
_SAMPLE_WIDTH = 20.0  # points of the piece of line in the legend
_RATE = "learning rate"


@dataclass(frozen=True)
class ShareLine:
    """Accuracies of a method at P learned shares of the encoder, in ascending order.

    Args:
        shares: (P,) learned shares in percent, 0 or more.
        rates: (P,) learning rates.
        means: (P, m) accuracies in percent; NaN where unknown.
        lows: (P, m) lower bounds in percent; NaN where unknown.
        highs: (P, m) upper bounds in percent; NaN where unknown.
        other_shares: (O,) shares of the runs with other learning rates.
        other_rates: (O,) their learning rates.
        other_means: (O, m) their accuracies.
    """

    shares: NDArray[np.float64]
    rates: NDArray[np.float64]
    means: NDArray[np.float64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    other_shares: NDArray[np.float64]
    other_rates: NDArray[np.float64]
    other_means: NDArray[np.float64]


@with_figure_style
def draw_share_panels(lines: Mapping[str, ShareLine], metrics: Sequence[str]) -> Canvas:
    """Draws a panel per metric, with a line per method, and one of the learning rates.

    Shares have a log axis, with zero at a separate position to its left. A method with one point is
    also a dotted line across the panel. Small points are other learning rates. All panels of
    accuracies span the same number of percent points, and few-shot classes have a shade. The panel
    of rates is left out where all rates are equal. A line stands for many methods of other figures,
    so the lines have styles of their own.

    Args:
        lines: Method -> its accuracies; methods beyond the 12th are left out.
        metrics: (m,) names of the accuracies.
    """
    names = list(lines)[:MAX_COLOURED_LINES]
    shown = {name: lines[name] for name in names}
    looks = MethodLooks.of(names)
    every_rate = np.concatenate([[*each.rates, *each.other_rates] for each in shown.values()])
    panels = [*metrics, *([_RATE] if len(np.unique(every_rate)) > 1 else [])]
    key = looks.key(names)
    width = (FIGURE_WIDTH - _LEFT - _GAP - _RIGHT) / 2
    row_height = _TITLE_HEIGHT + _PANEL_HEIGHT + _AXIS_HEIGHT
    legend = _Legend(names, looks)
    # Beside the last panel where there is room, else below.
    beside = (
        len(panels) % 2 == 1
        and legend.width <= width + _RIGHT
        and _TITLE_HEIGHT + legend.height <= row_height
    )
    bottom = row_height * -(-len(panels) // 2)
    height = bottom + (0 if beside else legend.height) + key.height
    canvas = Canvas("Accuracy by the learned share of the encoder", FIGURE_WIDTH, height)
    shares = np.concatenate([[*each.shares, *each.other_shares] for each in shown.values()])
    bounds = [_bounds(shown, column) for column in range(len(metrics))]
    span = max(high - low for low, high in bounds)
    bounds = [_of_span(low, high, span) for low, high in bounds]
    for place, panel in enumerate(panels):
        left = _LEFT + (place % 2) * (width + _GAP)
        top = row_height * (place // 2) + _TITLE_HEIGHT
        frame = PlotFrame(left, top, left + width, top + _PANEL_HEIGHT)
        x = log_scale(shares, frame.left, frame.right, ticks=4)
        _draw_frame(canvas, frame, x, panel, first=place == 0)
        if panel == _RATE:
            rate = log_scale(every_rate, frame.bottom, frame.top)
            _draw_rates(canvas, frame, shown, x, rate, looks)
        else:
            y = percent_scale(bounds[place], frame.bottom - 3, frame.top + 3, ticks=4)
            frame.draw_y(canvas, y)
            _draw_accuracies(canvas, frame, shown, x, y, (panel, place), looks)
    if beside:
        legend.draw(canvas, _LEFT + width + _GAP, bottom - row_height + _TITLE_HEIGHT)
    else:
        legend.draw(canvas, _LEFT, bottom)
    key.draw(canvas)
    return canvas


def _bounds(lines: Mapping[str, ShareLine], column: int) -> tuple[float, float]:
    parts = [
        values[:, column]
        for each in lines.values()
        for values in (each.means, each.lows, each.highs, each.other_means)
    ]
    return finite_range(np.concatenate(parts))


def _of_span(low: float, high: float, span: float) -> tuple[float, float]:
    """Returns bounds around others with a distance, within 0 and 100."""
    low = min(max((low + high - span) / 2, 0.0), 100.0 - span)
    return low, low + span


def _draw_frame(canvas: Canvas, frame: PlotFrame, x: LogScale, title: str, *, first: bool) -> None:
    emphasised = title in EMPHASISED
    if emphasised:
        canvas.rectangle(
            *(frame.left, frame.top, frame.right, frame.bottom),
            colour=RULE,
            opacity=0.45,
            layer=0,
        )
    bold = emphasised or first
    said = title if title == _RATE else f"{title.removesuffix('-shot')}, %"
    canvas.write(
        *(frame.left, frame.top - 11, said),
        bold=bold,
        colour=INK if bold else MUTED,
    )
    frame.draw_x(canvas, x.scale, "learned share, %", x.texts)
    draw_zero(canvas, x, frame.top, frame.bottom)


def _draw_accuracies(
    canvas: Canvas,
    frame: PlotFrame,
    lines: Mapping[str, ShareLine],
    x: LogScale,
    y: Scale,
    panel: tuple[str, int],
    looks: MethodLooks,
) -> None:
    metric, column = panel
    for name, each in lines.items():
        style = looks.style(name)
        at, means = x(each.shares), each.means[:, column]
        _draw_line(canvas, frame, at, y(means), style)
        others = style.marker_arguments(3.5) | {"alpha": 0.45, "markeredgewidth": 0.0}
        canvas.dots(x(each.other_shares), y(each.other_means[:, column]), layer=3, **others)
        for i, (low, high) in enumerate(
            zip(each.lows[:, column], each.highs[:, column], strict=True)
        ):
            canvas.line([at[i]] * 2, y([low, high]), colour=style.colour, width=1.2)
            dot = canvas.dots(at[i], y.at(means[i]), **style.marker_arguments(6.5))
            value = describe_value(float(means[i]), float(low), float(high))
            where = f"{each.shares[i]:.3g} % learned, learning rate {each.rates[i]:g}"
            canvas.tip(dot, f"{name}, {where}, {metric}: {value}")


def _draw_rates(
    canvas: Canvas,
    frame: PlotFrame,
    lines: Mapping[str, ShareLine],
    x: LogScale,
    y: LogScale,
    looks: MethodLooks,
) -> None:
    for tick, text in zip(y.scale.ticks, y.texts, strict=True):
        at = y.scale.at(tick)
        canvas.grid_line([frame.left, frame.right], [at, at])
        canvas.write(frame.left - 5, at, text, anchor="right", size=SMALL_SIZE, colour=MUTED)
    for name, each in lines.items():
        style = looks.style(name)
        if len(each.shares) > 1:
            _draw_line(canvas, frame, x(each.shares), y(each.rates), style)
        others = style.marker_arguments(3.5) | {"alpha": 0.45, "markeredgewidth": 0.0}
        canvas.dots(x(each.other_shares), y(each.other_rates), layer=3, **others)
        for share, rate in zip(each.shares, each.rates, strict=True):
            dot = canvas.dots(x(share), y(rate), **style.marker_arguments(6.5))
            canvas.tip(dot, f"{name}, {share:.3g} % learned: learning rate {rate:g}")


def _draw_line(
    canvas: Canvas,
    frame: PlotFrame,
    at: NDArray[np.float64],
    values: NDArray[np.float64],
    style: MethodStyle,
) -> None:
    """Draws the line of a method; across the panel where it has one point."""
    if len(at) == 1:
        across = [frame.left, frame.right], np.repeat(values, 2)
        canvas.line(*across, colour=style.colour, width=0.9, dash=":", layer=2.5)
    else:
        line = style.line_arguments()
        canvas.line(
            *(at, values),
            colour=line["color"],
            width=line["linewidth"],
            dash=line["linestyle"],
            layer=3,
        )


class _Legend:
    """Lines and names of the methods, one below the other."""

    def __init__(self, names: Sequence[str], looks: MethodLooks) -> None:
        self._names, self._looks = names, looks
        self.width = _SAMPLE_WIDTH + 5 + max(text_width(looks.label(name)) for name in names)
        self.height = LINE_HEIGHT * len(names)

    def draw(self, canvas: Canvas, left: float, top: float) -> None:
        for number, name in enumerate(self._names):
            y = top + LINE_HEIGHT * (number + 0.5)
            style, label = self._looks.style(name), self._looks.label(name)
            line = style.line_arguments()
            canvas.line(
                *([left, left + _SAMPLE_WIDTH], [y, y]),
                colour=line["color"],
                width=line["linewidth"],
                dash=line["linestyle"],
            )
            canvas.dots(left + _SAMPLE_WIDTH / 2, y, **style.marker_arguments(6.5))
            text = canvas.write(left + _SAMPLE_WIDTH + 5, y, label)
            if label != name:
                canvas.tip(text, name)
