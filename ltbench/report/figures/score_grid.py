"""Accuracy of each method on each data set, as a grid of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.looks import NO_LOOKS, MethodLooks
from ltbench.report.figures.method_rows import MethodRows, best_values, format_value, more_methods
from ltbench.report.figures.scales import finite_range
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    INK,
    LINE_HEIGHT,
    MUTED,
    POSITIVE,
    SMALL_SIZE,
    with_figure_style,
)
from ltbench.report.figures.text_size import break_text, text_width

MAX_ROWS = 60
"""Number of methods that have a row; the others are named below."""
_ROW_HEIGHT = 16.0  # points
_MAX_COLUMN_WIDTH = 84.0  # points
_MIN_COLUMN_WIDTH = 32.0  # points; narrower columns widen the figure
_HEAD_GAP = 8.0  # points
_MAX_OPACITY = 0.55  # of the colour of the best of a column
_MAX_HEAD_LINES = 3  # with more, heads are turned


@with_figure_style
def draw_score_grid(
    names: Sequence[str],
    columns: Sequence[str],
    scores: NDArray[np.float64],
    *,
    average_ranks: NDArray[np.float64] | None = None,
    looks: MethodLooks = NO_LOOKS,
) -> Canvas:
    """Draws a row per method and a column per data set, with a number in each cell.

    The colour of a cell is its place between the worst and the best of its column; the best is
    bold. Beyond 60 methods, the others are named below.

    Args:
        names: (n,) names of the methods, the best first.
        columns: (m,) names of the data sets, or of other columns.
        scores: (n, m) accuracies in percent; NaN where unknown.
        average_ranks: (n,) average ranks, in a column of their own; None for none.
        looks: Labels and styles of the methods on the page; the methods of the figure follow them.
    """
    rows = MethodRows(names, looks.including(names), (), MAX_ROWS)
    shown = len(rows.names)
    left = rows.width + 14
    rank_width = 44.0 if average_ranks is not None else 0.0
    column = min((FIGURE_WIDTH - left - rank_width) / max(len(columns), 1), _MAX_COLUMN_WIDTH)
    column = max(column, _MIN_COLUMN_WIDTH)
    width = max(FIGURE_WIDTH, left + rank_width + column * len(columns))
    heads = [break_text(name.replace("_", "_ "), column - 4, SMALL_SIZE) for name in columns]
    heads = [[line.replace("_ ", "_") for line in lines] for lines in heads]
    turned = any(len(lines) > _MAX_HEAD_LINES for lines in heads) or any(
        text_width(line, SMALL_SIZE) > column - 2 for lines in heads for line in lines
    )
    lines = max((len(head) for head in heads), default=1)
    longest = max((text_width(name, SMALL_SIZE) for name in columns), default=0.0)
    top = (longest if turned else 13 * lines) + _HEAD_GAP
    more = more_methods(rows.others, _row_means(scores[shown:]), width)
    key = rows.looks.key(names, width)
    bottom = top + _ROW_HEIGHT * shown
    legend = LINE_HEIGHT + 8
    canvas = Canvas("Accuracy by data set", width, bottom + legend + more.height + key.height)
    middles = top + _ROW_HEIGHT * (np.arange(shown) + 0.5)
    rows.draw(canvas, middles, _ROW_HEIGHT, right=left - 4)
    if average_ranks is not None:
        canvas.write(
            *(left + rank_width - 10, top - _HEAD_GAP - 1, "rank"),
            anchor="right",
            size=SMALL_SIZE,
            colour=MUTED,
        )
        for y, rank in zip(middles, average_ranks, strict=False):
            text = canvas.write(
                *(left + rank_width - 10, y, format_value(float(rank))),
                anchor="right",
                size=SMALL_SIZE,
                colour=MUTED,
            )
            canvas.tip(text, f"average rank {rank:.2f}")
    for j, name in enumerate(columns):
        start = left + rank_width + column * j
        _draw_head(canvas, start + column / 2, top, name if turned else heads[j])
        low, high = finite_range(scores[:, j])
        best = best_values(scores[:, j])
        for i, y in enumerate(middles):
            value = float(scores[i, j])
            if np.isfinite(value):
                share = (value - low) / (high - low) if high > low else 1.0
                patch = canvas.rectangle(
                    *(start, y - _ROW_HEIGHT / 2 + 0.5),
                    *(start + column - 1, y + _ROW_HEIGHT / 2 - 0.5),
                    colour=POSITIVE,
                    opacity=_MAX_OPACITY * share**1.5 + 0.03,
                )
                canvas.tip(
                    patch,
                    f"{rows.names[i]} on {name}: {value:.1f} %, {value - high:+.1f} to the best",
                )
            canvas.write(
                start + (column - 1) / 2,
                y,
                format_value(value),
                anchor="center",
                size=SMALL_SIZE,
                bold=bool(best[i]),
                colour=INK if best[i] or np.isfinite(value) else MUTED,
            )
    canvas.write(
        *(1, bottom + 12, "accuracy, %; a stronger colour is closer to the best of a column"),
        size=SMALL_SIZE,
        colour=MUTED,
    )
    more.draw(canvas, bottom + legend)
    key.draw(canvas)
    return canvas


def _row_means(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the means of the known scores of each row, NaN where none is known."""
    known = np.isfinite(scores)
    means = np.full(len(scores), np.nan)
    counts = known.sum(axis=1)
    np.divide(np.where(known, scores, 0.0).sum(axis=1), counts, out=means, where=counts > 0)
    return means


def _draw_head(canvas: Canvas, middle: float, bottom: float, head: str | Sequence[str]) -> None:
    """Draws the name of a column: turned if it is one text, else as lines."""
    if isinstance(head, str):
        at = bottom - _HEAD_GAP / 2 - text_width(head, SMALL_SIZE) / 2
        canvas.write(middle, at, head, size=SMALL_SIZE, turned=True)
        return
    for number, line in enumerate(reversed(head)):
        y = bottom - _HEAD_GAP - 1 - 13 * number
        canvas.write(middle, y, line, anchor="center", size=SMALL_SIZE)
