"""Accuracy against cost, with the Pareto front."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ltbench.report.figures.label_placement import place_labels
from ltbench.report.figures.label_text import shorten_names
from ltbench.report.figures.style import (
    add_legend,
    method_style,
    new_figure,
    set_percent_axis,
    set_ticks,
    with_figure_style,
)

_MAX_NAMED_METHODS = 8  # with more, points have numbers and a legend


@with_figure_style
def draw_trade_off(
    names: Sequence[str],
    accuracy: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    cost: NDArray[np.float64],
    cost_label: str,
) -> Figure:
    """Draws one point per method, and the Pareto front as steps.

    Costs have a log axis, with zero at a separate position to its left. Up to 8 methods are named
    at their points; with more, points have numbers, and a legend has the names.

    Args:
        names: (n,) names of the methods.
        accuracy: (n,) accuracies in percent; methods with an unknown accuracy or cost (NaN) are
            left out.
        low: (n,) lower bounds in percent; NaN where unknown.
        high: (n,) upper bounds in percent; NaN where unknown.
        cost: (n,) costs, 0 or more.
        cost_label: Name of the cost, with its unit.
    """
    figure = new_figure(f"Accuracy against {cost_label}", 280)
    axes = figure.subplots()
    where = _set_log_axis(axes, cost)
    front = pareto_front(cost, accuracy)
    axes.plot(where[front], accuracy[front], color="0.55", linewidth=1, drawstyle="steps-post")
    handles = []
    for i in range(len(names)):
        line = method_style(i).line_arguments() | {"linestyle": "none", "markersize": 9}
        axes.vlines(where[i], low[i], high[i], method_style(i).colour, linewidth=1.4)
        axes.plot(where[i], accuracy[i], **line)
        handles.append(Line2D([], [], **line))
    set_percent_axis(axes, "y", np.concatenate([accuracy, low, high]))
    axes.set_xlabel(cost_label)
    axes.set_ylabel("accuracy, %")
    if len(names) <= _MAX_NAMED_METHODS:
        texts = shorten_names(names, width=18)
    else:
        texts = [str(i + 1) for i in range(len(names))]
        numbered = [f"{text}: {name}" for text, name in zip(texts, names, strict=True)]
        add_legend(figure, handles, shorten_names(numbered, width=40))
    lines = [*_interval_lines(where, low, high), *_front_lines(where, accuracy, front)]
    place_labels(axes, where, accuracy, texts, lines)
    return figure


def pareto_front(cost: NDArray[np.float64], accuracy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns the positions of the Pareto-optimal methods, in ascending order of cost.

    Args:
        cost: (n,) costs; NaN where unknown.
        accuracy: (n,) accuracies; NaN where unknown.
    """
    known = np.flatnonzero(np.isfinite(cost) & np.isfinite(accuracy))
    order = known[np.lexsort((-accuracy[known], cost[known]))]
    if not order.size:
        return order
    best = np.concatenate([[-np.inf], np.maximum.accumulate(accuracy[order])[:-1]])
    return order[accuracy[order] > best]


def _set_log_axis(axes: Axes, cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sets a log x axis with a separate position for zero, and returns the costs' positions."""
    positive = cost[cost > 0]
    smallest, largest = (positive.min(), positive.max()) if positive.size else (1.0, 1.0)
    ticks = _log_ticks(float(smallest), float(largest)) if positive.size else []
    names = [_format_tick(tick) for tick in ticks]
    first, last = min([smallest, *ticks]), max([largest, *ticks])
    room = max((last / first) ** 0.08, 1.5)
    left = first / room
    zero = left / room**1.5
    axes.set_xscale("log")
    if (cost == 0).any():
        ticks, names = [zero, *ticks], ["0", *names]
        if positive.size:
            axes.axvline(left, color="0.6", linewidth=0.8, linestyle=":")
        left = zero / room
    axes.set_xlim(left, last * room)
    set_ticks(axes.xaxis, ticks)
    axes.set_xticklabels(names)
    return np.where(cost == 0, zero, cost)


def _log_ticks(smallest: float, largest: float) -> list[float]:
    """Returns ticks around two costs: powers of ten, also 2 and 5 times these for a short range."""
    first, last = int(np.floor(np.log10(smallest))), int(np.ceil(np.log10(largest)))
    if last - first > 2:
        ticks = [10.0**power for power in range(first, last + 1)]
    else:
        ticks = [digit * 10.0**power for power in range(first, last + 1) for digit in (1, 2, 5)]
    within = [tick for tick in ticks if smallest / 2 <= tick <= largest * 2]
    return within[:: -(-len(within) // 6)]


def _interval_lines(
    x: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Returns the ends of the intervals, (2, 2) each."""
    return [np.array([[x[i], low[i]], [x[i], high[i]]]) for i in np.flatnonzero(high > low)]


def _front_lines(
    x: NDArray[np.float64], y: NDArray[np.float64], front: NDArray[np.int64]
) -> list[NDArray[np.float64]]:
    """Returns the ends of the line segments of the front, (2, 2) each."""
    corners = [
        np.array([[x[i], y[i]], [x[j], y[i]], [x[j], y[j]]]) for i, j in itertools.pairwise(front)
    ]
    return [three[k : k + 2] for three in corners for k in (0, 1)]


def _format_tick(number: float) -> str:
    for size, sign in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:g}{sign}"
    return f"{number:g}"
