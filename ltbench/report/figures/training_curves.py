"""Training curves by epoch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ltbench.report.figures.style import (
    add_line_legend,
    line_styles,
    new_figure,
    set_ticks,
    with_figure_style,
)


@with_figure_style
def draw_training_curves(curves: Mapping[str, NDArray[np.float64]], ylabel: str) -> Figure:
    """Draws the mean over seeds as a line over epochs, and the range of the seeds as a band.

    Args:
        curves: Method -> (S, E) values, one row per seed; NaN where an epoch is missing.
        ylabel: Name of the values, with their unit.
    """
    alpha = min(0.15, 0.5 / len(curves))  # bands overlap
    figure = new_figure(f"{ylabel} by epoch", 240)
    axes = figure.subplots()
    last = max(curve.shape[1] for curve in curves.values())
    # Points of a single epoch are drawn side by side.
    offsets = np.linspace(-0.2, 0.2, len(curves) + 2)[1:-1] if last == 1 else np.zeros(len(curves))
    for one, curve, offset in zip(line_styles(len(curves)), curves.values(), offsets, strict=True):
        known = np.flatnonzero(np.isfinite(curve).any(axis=0))
        values, epochs = curve[:, known], known + 1 + offset
        line = one.line_arguments()
        line["markevery"] = max(1, len(epochs) // 8)
        axes.plot(epochs, np.nanmean(values, axis=0), **line)
        low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        if last == 1:
            axes.vlines(epochs, low, high, one.colour, linewidth=1.4)
        elif one.marker:
            axes.fill_between(epochs, low, high, color=one.colour, alpha=alpha, linewidth=0)
    room = max(0.03 * (last - 1), 0.3)
    axes.set_xlim(1 - room, last + room)
    steps = MaxNLocator(6, integer=True).tick_values(1, last)
    set_ticks(axes.xaxis, sorted({1, *(step for step in steps if 1 + last / 12 < step <= last)}))
    axes.set_xlabel("epoch")
    axes.set_ylabel(ylabel)
    add_line_legend(figure, list(curves))
    return figure
