"""Logarithmic scale with a separate position for zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ltbench.report.figures.canvas import Canvas
from ltbench.report.figures.scales import Scale
from ltbench.report.figures.style import MUTED, SMALL_SIZE

_ZERO_ROOM = 44.0  # points between the start of the axis and the scale right of zero
_ZERO_PLACE = 14.0  # points between the start of the axis and zero
_ROOM = 10.0  # points before the scale without zero


@dataclass(frozen=True)
class LogScale:
    """Log scale with a separate position for zero.

    Args:
        scale: Scale of the logarithms.
        zero: Position of zero, in points; None where no value is zero.
        texts: Texts of the ticks of the scale.
    """

    scale: Scale
    zero: float | None
    texts: tuple[str, ...]

    def __call__(self, values: ArrayLike) -> NDArray[np.float64]:
        """Returns the positions of values, in points."""
        values = np.asarray(values, dtype=float)
        positive = self.scale(np.log10(np.where(values > 0, values, 1.0)))
        zero = np.nan if self.zero is None else self.zero
        found = np.where(values > 0, positive, zero)
        return np.where(np.isfinite(values), found, np.nan).astype(np.float64)


def log_scale(values: NDArray[np.float64], start: float, end: float, *, ticks: int = 6) -> LogScale:
    """Returns the scale of known values, 0 or more, between two positions in points.

    Args:
        values: Values; all are finite.
        start: Position before the smallest value.
        end: Position after the largest value; may be smaller than `start`.
        ticks: Maximum number of ticks.
    """
    positive = values[values > 0]
    has_zero = bool((values == 0).any())
    towards = 1 if end > start else -1
    first_place = start + towards * (_ZERO_ROOM if has_zero and positive.size else _ROOM)
    smallest, largest = (positive.min(), positive.max()) if positive.size else (1.0, 1.0)
    shown = _log_ticks(float(smallest), float(largest), ticks) if positive.size else []
    first, last = min([smallest, *shown]), max([largest, *shown])
    room = max(0.03 * np.log10(last / first), 0.05)
    scale = Scale(
        float(np.log10(first) - room),
        float(np.log10(last) + room),
        first_place,
        end,
        tuple(float(np.log10(tick)) for tick in shown),
    )
    alone = (start + end) / 2
    zero = (start + towards * _ZERO_PLACE if positive.size else alone) if has_zero else None
    return LogScale(scale, zero, tuple(_format_tick(tick) for tick in shown))


def draw_zero(canvas: Canvas, x: LogScale, top: float, bottom: float) -> None:
    """Draws the tick of zero on a horizontal axis, and a dotted line between it and the scale."""
    if x.zero is None:
        return
    canvas.line([x.zero] * 2, [bottom, bottom + 3])
    canvas.write(x.zero, bottom + 11, "0", anchor="center", size=SMALL_SIZE, colour=MUTED)
    if x.texts:
        middle = x.scale.start - 7
        canvas.line([middle] * 2, [top, bottom], width=0.7, dash=":", layer=0.6)


def _log_ticks(smallest: float, largest: float, most: int) -> list[float]:
    """Returns ticks around two values: powers of ten, and 2 and 5 times these for a short range."""
    first, last = int(np.floor(np.log10(smallest))), int(np.ceil(np.log10(largest)))
    if last - first > 2:
        ticks = [10.0**power for power in range(first, last + 1)]
    else:
        ticks = [digit * 10.0**power for power in range(first, last + 1) for digit in (1, 2, 5)]
    within = [tick for tick in ticks if smallest / 2 <= tick <= largest * 2]
    return within[:: -(-len(within) // most)] if within else []


def _format_tick(number: float) -> str:
    for size, sign in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:g}{sign}"
    return f"{number:g}"
