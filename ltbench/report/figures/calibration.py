"""Reliability diagram."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ltbench.report.figures.style import (
    add_line_legend,
    line_styles,
    new_figure,
    set_ticks,
    with_figure_style,
)

ReliabilityBins = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@with_figure_style
def draw_calibration(bins: Mapping[str, ReliabilityBins], errors: Mapping[str, float]) -> Figure:
    """Draws accuracy over confidence, and the diagonal of a calibrated model.

    The area of a marker is proportional to the share of images in its bin.

    Args:
        bins: Method -> mean confidence, accuracy and share of the images of each bin in percent,
            from `ltbench.analysis.metrics.reliability_bins`.
        errors: Method -> expected calibration error in percent, for the legend.
    """
    figure = new_figure("Reliability diagram", 330)
    axes = figure.subplots()
    axes.plot([0, 100], [0, 100], color="0.55", linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    for one, (confidence, accuracy, share) in zip(
        line_styles(len(bins)), bins.values(), strict=True
    ):
        axes.plot(confidence, accuracy, **one.line_arguments() | {"marker": "", "linewidth": 1.0})
        if one.marker:
            axes.scatter(
                confidence,
                accuracy,
                s=12 + 3 * share,
                color=one.colour,
                marker=one.marker,
                edgecolors="white",
                linewidths=0.6,
                zorder=4,
            )
    axes.set_xlim(-2, 102)
    axes.set_ylim(-2, 102)
    for axis in (axes.xaxis, axes.yaxis):
        set_ticks(axis, range(0, 101, 20))
    axes.set_xlabel("confidence, %")
    axes.set_ylabel("accuracy, %")
    add_line_legend(figure, list(bins), [f" (ECE {errors[name]:.1f})" for name in bins])
    return figure
