"""Overall and shot-group accuracies with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ltbench.report.figures.label_text import shorten_names
from ltbench.report.figures.style import (
    LINE_HEIGHT,
    add_legend,
    method_style,
    new_figure,
    set_percent_axis,
    set_ticks,
    with_figure_style,
)

_DOT_SPACING = 8.0  # points between the dots of a row


@with_figure_style
def draw_shot_groups(
    names: Sequence[str],
    metrics: Sequence[str],
    means: NDArray[np.float64],
    lows: NDArray[np.float64],
    highs: NDArray[np.float64],
) -> Figure:
    """Draws one row per method, from the top, with a dot and an interval for each metric.

    Dots are used instead of bars, so that the axis need not start at 0 and 20 methods stay
    readable.

    Args:
        names: (n,) names of the methods.
        metrics: (m,) names of the metrics, such as `accuracy` and `few`.
        means: (n, m) means in percent; NaN for an empty group.
        lows: (n, m) lower bounds in percent.
        highs: (n, m) upper bounds in percent.
    """
    rows, count = means.shape
    shown = shorten_names(names, width=16, lines=2)
    row = max(_DOT_SPACING * count + 8, LINE_HEIGHT * max(name.count("\n") + 1 for name in shown))
    figure = new_figure("Accuracy by shot group", row * rows + 50)
    axes = figure.subplots()
    at = np.arange(rows)
    offsets = (np.arange(count) - (count - 1) / 2) * _DOT_SPACING / row
    for i in range(0, rows, 2):
        axes.axhspan(i - 0.5, i + 0.5, color="0.96", linewidth=0, zorder=0)
    handles = []
    for j in range(count):
        line = method_style(j).line_arguments() | {"linestyle": "none"}
        axes.hlines(at + offsets[j], lows[:, j], highs[:, j], method_style(j).colour, linewidth=1.4)
        axes.plot(means[:, j], at + offsets[j], **line)
        handles.append(Line2D([], [], **line))
    set_percent_axis(axes, "x", np.stack([means, lows, highs]))
    axes.set_xlabel("accuracy, %")
    set_ticks(axes.yaxis, list(at))
    axes.set_yticklabels(shown)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(rows - 0.5, -0.5)
    add_legend(figure, handles, shorten_names(metrics, width=40))
    return figure
