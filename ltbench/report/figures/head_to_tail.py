"""Accuracy by class frequency."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ltbench.analysis.metrics import DEFAULT_RULE, ShotRule
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    add_line_legend,
    line_styles,
    new_figure,
    set_percent_axis,
    set_ticks,
    text_width,
    with_figure_style,
)

_MAX_LINE_POINTS = 200  # more are not visible, and enlarge the page
_MAX_DOTTED_CLASSES = 100  # with more classes, single classes have no dots
_MAX_DOTTED_METHODS = 4  # with more methods, single classes have no dots
_GROUP_NAME_GAP = 8.0  # points between the names of shot groups
_GROUP_SHADES = {"many": "0.95", "medium": "1.0", "few": "0.91"}


@with_figure_style
def draw_head_to_tail(
    train_images: NDArray[np.int64],
    accuracies: Mapping[str, NDArray[np.float64]],
    rule: ShotRule = DEFAULT_RULE,
) -> Figure:
    """Draws accuracy over class rank, the most frequent class first, above the training images.

    Lines are running means over a tenth of the classes (see `running_mean`), over fewer at both
    ends, and the values themselves for up to 20 classes. For up to 100 classes and 4 methods, dots
    show each class.

    Args:
        train_images: (K,) number of training images of each class.
        accuracies: Method -> (K,) accuracies in percent; NaN for a class without test images.
        rule: Rule of the shot groups, which are shaded.
    """
    classes = len(train_images)
    order = np.argsort(-train_images, kind="stable")
    counts, ranks = train_images[order], np.arange(1, classes + 1)
    at = np.unique(np.linspace(0, classes - 1, min(classes, _MAX_LINE_POINTS)).round().astype(int))
    width = window_size(classes)
    dots = width > 1 and classes <= _MAX_DOTTED_CLASSES and len(accuracies) <= _MAX_DOTTED_METHODS

    figure = new_figure("Accuracy by class frequency", 290)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.4, 1))
    seen = [np.empty(0)]
    for i, (one, accuracy) in enumerate(
        zip(line_styles(len(accuracies)), accuracies.values(), strict=True)
    ):
        values = accuracy[order]
        means = running_mean(values, width)[at]
        known = np.isfinite(means)
        line = one.line_arguments()
        step = max(1, int(known.sum()) // 8)
        line["markevery"] = (i * step // 8 % step, step)
        above.plot(ranks[at][known], means[known], **line)
        seen.append(means)
        if dots:
            above.plot(ranks, values, ".", color=one.colour, alpha=0.4, markersize=5, mew=0)
            seen.append(values)
    set_percent_axis(above, "y", np.concatenate(seen))
    above.set_ylabel("accuracy, %")

    _draw_train_images(below, ranks[at], counts[at])
    below.set_xlabel("class rank, most frequent first")
    below.set_xlim(0.5, classes + 0.5)
    inner = np.linspace(1, classes, min(classes, 5)).round()
    set_ticks(below.xaxis, [int(rank) for rank in inner])
    _draw_shot_groups(
        above, below, {name: ranks[m] for name, m in rule.groups(counts).items() if m.any()}
    )
    add_line_legend(figure, list(accuracies))
    return figure


def window_size(classes: int) -> int:
    """Returns the width of the running mean: an odd number near a tenth of the classes."""
    return 1 if classes <= 20 else classes // 10 | 1


def running_mean(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Returns the mean of the values in a window around each position, (K,).

    Args:
        values: (K,) values; NaN where unknown, and ignored in means.
        width: Width of the window, odd; the window is truncated at both ends.

    Returns:
        Means; NaN where all values in the window are unknown.
    """
    known = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    at = np.arange(len(values))
    first, end = np.maximum(at - width // 2, 0), np.minimum(at + width // 2 + 1, len(values))
    means = np.full(len(values), np.nan)
    held = counts[end] - counts[first]
    np.divide(sums[end] - sums[first], held, out=means, where=held > 0)
    return means


def _draw_train_images(axes: Axes, ranks: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    """Draws the training images by class rank as a filled area on a log axis."""
    heights = np.maximum(counts, 0.5)  # the logarithm of 0 is undefined
    bottom = float(heights.min()) / 2
    edges = np.concatenate([[0.5], (ranks[1:] + ranks[:-1]) / 2, [ranks[-1] + 0.5]])
    axes.stairs(heights, edges, baseline=bottom, fill=True, color="0.55", linewidth=0, zorder=2)
    axes.set_yscale("log")
    axes.set_ylim(bottom, 1.6 * float(heights.max()))
    ends = sorted({int(counts.min()), int(counts.max())})
    set_ticks(axes.yaxis, [max(count, 0.5) for count in ends])
    axes.set_yticklabels([str(count) for count in ends])
    axes.set_ylabel("training\nimages")


def _draw_shot_groups(above: Axes, below: Axes, groups: Mapping[str, NDArray[np.int64]]) -> None:
    """Shades the shot groups, and writes their names above the figure without overlap."""
    last = float(max(ranks[-1] for ranks in groups.values()))
    unit = last / (0.8 * FIGURE_WIDTH)  # ranks per point
    earliest = 0.5
    for position, (name, ranks) in enumerate(groups.items()):
        first, end = ranks[0] - 0.5, ranks[-1] + 0.5
        for axes in (above, below):
            axes.axvspan(first, end, color=_GROUP_SHADES[name], linewidth=0, zorder=0)
            if position:
                axes.axvline(first, color="0.6", linewidth=0.8, zorder=1)
        half = text_width(name) / 2 * unit
        others = list(groups)[position + 1 :]
        right = last + 0.5 - sum((text_width(other) + _GROUP_NAME_GAP) * unit for other in others)
        middle = min(max((first + end) / 2, earliest + half), right - half)
        earliest = middle + half + _GROUP_NAME_GAP * unit
        above.text(
            middle, 1.02, name, ha="center", va="bottom", transform=above.get_xaxis_transform()
        )
