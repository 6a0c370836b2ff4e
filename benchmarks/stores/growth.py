"""Figure of time and memory by size, from committed measurements.

    python -m benchmarks.stores.growth

Writes `benchmarks/results/stores/runs.svg`; `make figures` does so, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from ltbench.report.figures.output import svg_file
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    MUTED,
    RULE,
    SERIES,
    SMALL_SIZE,
    with_figure_style,
)

RESULTS = Path(__file__).parents[1] / "results" / "stores"
_HEIGHT = 245.0  # points
_MARKERS = "os"  # for lines whose colour is repeated
_LONG_LABEL = 20  # characters: three such labels are wider than the figure

Lines = Mapping[str, list[tuple[float, float]]]
"""Points of each line, by its label."""


@with_figure_style
def draw_growth(panels: Mapping[str, Lines], earlier: Mapping[str, Lines], size: str) -> Figure:
    """Draws lines on logarithmic axes, a panel for each quantity.

    Args:
        panels: Lines by quantity with its unit.
        earlier: Lines of the version before, which are dashed, by the same quantities.
        size: Name of the sizes.
    """
    figure = Figure(figsize=(FIGURE_WIDTH / 72, _HEIGHT / 72), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    labels = list(dict.fromkeys(label for lines in panels.values() for label in lines))
    for axis, (quantity, lines) in zip(axes, panels.items(), strict=True):
        for dash, drawn in (("--", earlier.get(quantity, {})), ("-", lines)):
            for label, points in drawn.items():
                repeated, at = divmod(labels.index(label), len(SERIES))
                look = SERIES[at], _MARKERS[repeated]
                _draw_line(axis, points, look, dash, label if dash == "-" else "")
        _dress(axis, quantity, size)
    figure.legend(
        *axes[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=3 if max(map(len, labels)) < _LONG_LABEL else 2,
        frameon=False,
        fontsize=SMALL_SIZE - 1,
    )
    return figure


def _draw_line(
    axis: Axes, points: Iterable[tuple[float, float]], look: tuple[str, str], dash: str, label: str
) -> None:
    sizes, values = zip(*sorted(points), strict=True)
    colour, marker = look
    shown = marker if dash == "-" else ""
    axis.plot(sizes, values, dash, color=colour, marker=shown, ms=4, lw=1.4, label=label or None)


def _dress(axis: Axes, quantity: str, size: str) -> None:
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_title(quantity, fontsize=SMALL_SIZE, loc="left")
    axis.set_xlabel(size, fontsize=SMALL_SIZE, color=MUTED)
    axis.tick_params(labelsize=SMALL_SIZE - 1, colors=MUTED, which="both")
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    for formats in (axis.yaxis.set_major_formatter, axis.yaxis.set_minor_formatter):
        formats("{x:,g}")
    axis.grid(visible=True, color=RULE, linewidth=0.6)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def lines_of(rows: Iterable[Mapping[str, Any]], size: str, quantity: str) -> Lines:
    """Returns the points of each command, in its last measurement of each size.

    Commands that were measured with one size alone are left out.

    Args:
        rows: Measurements.
        size: Key of the sizes.
        quantity: Key of the values; rows without it are left out.
    """
    found: dict[str, dict[float, float]] = {}
    for row in rows:
        if quantity in row:
            found.setdefault(row["command"], {})[row[size]] = row[quantity]
    return {command: list(points.items()) for command, points in found.items() if len(points) > 1}


def growth_of_runs(folder: Path = RESULTS) -> bytes:
    """Returns the figure of the commands that read a whole store, as an SVG file.

    Args:
        folder: Folder of `runs.json` and `before.json`.
    """
    rows, before = (
        json.loads((folder / name).read_text(encoding="utf-8"))["rows"]
        for name in ("runs.json", "before.json")
    )
    quantities = {"processor seconds": "cpu_seconds", "peak memory, MB": "peak_mb"}
    panels, earlier = (
        {name: lines_of(each, "runs", key) for name, key in quantities.items()}
        for each in (rows, before)
    )
    return svg_file(draw_growth(panels, earlier, "runs in the store"), "growth_runs")


def main() -> None:
    """Writes the figure."""
    (RESULTS / "runs.svg").write_bytes(growth_of_runs())


if __name__ == "__main__":
    main()
