"""Accuracy by class frequency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.metrics import DEFAULT_RULE, ShotRule
from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.line_labels import LineLabels
from ltbench.report.figures.looks import NO_LOOKS, MethodLooks
from ltbench.report.figures.plot_frame import MAX_STRIPS, PlotFrame, strip_edges
from ltbench.report.figures.scales import Scale, percent_scale
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    FONT_SIZE,
    INK,
    MAX_COLOURED_LINES,
    MUTED,
    RULE,
    SMALL_SIZE,
    with_figure_style,
)
from ltbench.report.figures.text_size import text_width

_MAX_LINE_POINTS = 200  # more are not visible, and enlarge the page
_MAX_DOTTED_CLASSES = 100  # with more classes, single classes have no dots
_MAX_DOTTED_METHODS = 4  # with more methods, single classes have no dots
_GROUP_NAME_GAP = 8.0  # points between the names of shot groups
_LEFT, _TOP = 34.0, 40.0  # points
_MIN_HEIGHT = 190.0  # points of the plot of accuracies
_GAP, _COUNTS_HEIGHT = 26.0, 44.0  # points: between the plots, and of the training images
_AXIS_HEIGHT = 36.0  # points
_MARKERS = 8  # on a line


@with_figure_style
def draw_head_to_tail(
    train_images: NDArray[np.int64],
    accuracies: Mapping[str, NDArray[np.float64]],
    rule: ShotRule = DEFAULT_RULE,
    *,
    class_names: Sequence[str] = (),
    looks: MethodLooks = NO_LOOKS,
) -> Canvas:
    """Draws accuracy over class rank, the most frequent class first, above the training images.

    Lines are running means over a tenth of the classes (see `running_mean`), over fewer at both
    ends, and the values themselves for up to 20 classes. For up to 100 classes and 4 methods, dots
    show each class. Names are at the right ends of the lines, in the order of the rarest classes.

    Args:
        train_images: (K,) number of training images of each class.
        accuracies: Method -> (K,) accuracies in percent; NaN for a class without test images.
        rule: Rule of the shot groups; classes of the few-shot group have a shade.
        class_names: (K,) names of the classes, for the values to hover; empty for none.
        looks: Labels and styles of the methods on the page; the methods of the figure follow them.
    """
    names = list(accuracies)
    looks = looks.including(names)
    labels = LineLabels(names, looks)
    classes = len(train_images)
    order = np.argsort(-train_images, kind="stable")
    counts, ranks = train_images[order], np.arange(1, classes + 1)
    at = np.unique(np.linspace(0, classes - 1, min(classes, _MAX_LINE_POINTS)).round().astype(int))
    width = window_size(classes)
    dotted = width > 1 and classes <= _MAX_DOTTED_CLASSES and len(names) <= _MAX_DOTTED_METHODS
    values = {name: accuracies[name][order] for name in names}
    means = {name: running_mean(values[name], width)[at] for name in names}
    seen = [*means.values(), *(values.values() if dotted else ())]

    bottom = _TOP + max(_MIN_HEIGHT, labels.height)
    end = bottom + _GAP + _COUNTS_HEIGHT
    canvas = Canvas(
        "Accuracy by class frequency", FIGURE_WIDTH, end + _AXIS_HEIGHT + labels.key.height
    )
    above = PlotFrame(_LEFT, _TOP, FIGURE_WIDTH - labels.width, bottom)
    below = PlotFrame(_LEFT, bottom + _GAP, above.right, end)
    y = percent_scale(np.concatenate(seen), bottom, _TOP)
    inner = tuple(float(rank) for rank in np.linspace(1, classes, min(classes, 5)).round())
    x = Scale(0.5, classes + 0.5, above.left, above.right, inner)
    above.draw_y(canvas, y)
    canvas.write(0, _TOP - 28, "accuracy, %", size=SMALL_SIZE, colour=MUTED)
    groups = {name: ranks[member] for name, member in rule.groups(counts).items() if member.any()}
    _draw_shot_groups(canvas, above, below, x, groups)
    ends = []
    for i, (name, style) in enumerate(zip(names, looks.line_styles(names), strict=True)):
        known = np.isfinite(means[name])
        line_x, line_y = x(ranks[at][known]), y(means[name][known])
        line = style.line_arguments()
        canvas.line(
            *(line_x, line_y),
            colour=line["color"],
            width=line["linewidth"],
            dash=line["linestyle"],
            layer=3 if style.marker else 2,
        )
        if style.marker:
            step = max(1, int(known.sum()) // _MARKERS)
            first = i * step // _MARKERS % step
            canvas.dots(line_x[first::step], line_y[first::step], **style.marker_arguments(6.0))
        if dotted:
            dot = {"marker": "o", "markersize": 3.0, "color": style.colour, "alpha": 0.4}
            canvas.dots(x(ranks), y(values[name]), layer=2, linestyle="none", mew=0, **dot)
        ends.append(float(line_y[-1]) if known.any() else np.nan)
    labels.draw(canvas, above.right, _TOP + 4, bottom - 4, ends)
    _draw_train_images(canvas, below, x, ranks[at], counts[at])
    below.draw_x(canvas, x, "class rank, most frequent first")
    said = [class_names[k] for k in order] if len(class_names) else []
    _add_values(canvas, (above.top, below.bottom), x, counts, values, said)
    labels.key.draw(canvas)
    return canvas


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


def _draw_train_images(
    canvas: Canvas,
    frame: PlotFrame,
    x: Scale,
    ranks: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Draws the training images by class rank as a filled area on a log axis."""
    heights = np.log(np.maximum(counts, 0.5))  # the logarithm of 0 is undefined
    low, high = float(heights.min()) - np.log(2), float(heights.max())
    ends = sorted({int(counts.min()), int(counts.max())})
    scale = Scale(low, high, frame.bottom, frame.top)
    edges = x(strip_edges(ranks.astype(float), 0.5, x.high))
    corners = np.column_stack([np.repeat(edges, 2)[1:-1], np.repeat(scale(heights), 2)])
    closed = [[edges[0], frame.bottom], *corners, [edges[-1], frame.bottom]]
    canvas.area(np.array(closed), colour=MUTED, opacity=0.55)
    for count in ends:
        y = scale.at(float(np.log(max(count, 0.5))))
        canvas.write(
            *(frame.left - 5, y, f"{count:,}"), anchor="right", size=SMALL_SIZE, colour=MUTED
        )
    canvas.write(0, frame.top - 11, "training images", size=SMALL_SIZE, colour=MUTED)


def _draw_shot_groups(
    canvas: Canvas,
    above: PlotFrame,
    below: PlotFrame,
    x: Scale,
    groups: Mapping[str, NDArray[np.int64]],
) -> None:
    """Shades the few-shot group, and writes the names of groups above the plot without overlap."""
    earliest = above.left
    for position, (name, ranks) in enumerate(groups.items()):
        first, end = x.at(ranks[0] - 0.5), x.at(ranks[-1] + 0.5)
        is_few = name == "few"
        for frame in (above, below):
            if is_few:
                canvas.rectangle(
                    *(first, frame.top, end, frame.bottom), colour=RULE, opacity=0.45, layer=0
                )
            if position:
                canvas.line([first, first], [frame.top, frame.bottom], width=0.6, layer=0.6)
        half = text_width(name, FONT_SIZE, bold=is_few) / 2
        others = list(groups)[position + 1 :]
        right = above.right - sum(text_width(other) + _GROUP_NAME_GAP for other in others)
        middle = min(max((first + end) / 2, earliest + half), right - half)
        earliest = middle + half + _GROUP_NAME_GAP
        canvas.write(
            *(middle, above.top - 10, name),
            anchor="center",
            bold=is_few,
            colour=INK if is_few else MUTED,
        )


def _add_values(
    canvas: Canvas,
    heights: tuple[float, float],
    x: Scale,
    counts: NDArray[np.int64],
    values: Mapping[str, NDArray[np.float64]],
    class_names: Sequence[str],
) -> None:
    """Adds the means of a few neighbouring classes to an area around them."""
    parts = np.array_split(np.arange(len(counts)), min(len(counts), MAX_STRIPS))
    for part in parts:
        first, last = int(part[0]), int(part[-1])
        if first == last:
            named = f" ({class_names[first]})" if class_names else ""
            about = f"class rank {first + 1}{named}, {counts[first]:,} training images"
        else:
            about = (
                f"class ranks {first + 1:,} to {last + 1:,}, "
                f"{counts[first]:,} to {counts[last]:,} training images"
            )
        means = {}
        for name, each in list(values.items())[:MAX_COLOURED_LINES]:
            known = each[first : last + 1]
            known = known[np.isfinite(known)]
            if known.size:
                means[name] = float(known.mean())
        ordered = sorted(means, key=lambda name: -means[name])
        said = [f"{name} {means[name]:.1f} %" for name in ordered]
        text = "\n".join([about, *(said or ["no test images"])])
        canvas.hit(x.at(first + 0.5), heights[0], x.at(last + 1.5), heights[1], text)
