"""What training did, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ltbench.report.figures.style import blank, legend_of_lines, looks_of_lines, styled


@styled
def training_curves(curves: Mapping[str, NDArray[np.float64]], ylabel: str) -> Figure:
    """Draws the mean over seeds as a line over epochs, and their range as a band.

    Args:
        curves: Of each method, (S, E): a row a seed; NaN where a seed has no such epoch.
        ylabel: What is drawn, and its unit.
    """
    figure = blank(f"{ylabel} by epoch", 240)
    axes = figure.subplots()
    for one, curve in zip(looks_of_lines(len(curves)), curves.values(), strict=True):
        epochs = np.flatnonzero(np.isfinite(curve).any(axis=0))
        values = curve[:, epochs]
        line = one.line()
        line["markevery"] = max(1, len(epochs) // 8)
        axes.plot(epochs + 1, np.nanmean(values, axis=0), **line)
        low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        if len(epochs) == 1:
            axes.vlines(epochs + 1, low, high, one.colour, linewidth=1.4)
        else:
            axes.fill_between(epochs + 1, low, high, color=one.colour, alpha=0.15, linewidth=0)
    last = max(curve.shape[1] for curve in curves.values())
    room = max(0.03 * (last - 1), 0.3)
    axes.set_xlim(1 - room, last + room)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("epoch")
    axes.set_ylabel(ylabel)
    legend_of_lines(figure, list(curves))
    return figure
