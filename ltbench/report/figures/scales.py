"""Scales: positions of values along an axis, and its ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MIN_TICK_DISTANCE = 19.0  # points
_TICK_STEPS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """Linear scale.

    Args:
        low: Value at `start`.
        high: Value at `end`.
        start: Position of `low`, in points.
        end: Position of `high`, in points.
        ticks: Values of the ticks, ascending.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...] = ()

    def __call__(self, values: ArrayLike) -> NDArray[np.float64]:
        """Returns the positions of values, in points."""
        share = (np.asarray(values, dtype=float) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def at(self, value: float) -> float:
        """Returns the position of a value, in points."""
        return float(self(value))


def percent_scale(
    values: ArrayLike, start: float, end: float, *, ticks: int = 5, span: float = 0.0
) -> Scale:
    """Returns a scale around percentages, with ticks from 0 to 100 only.

    Args:
        values: Values; those that are not finite are ignored.
        start: Position of the lowest value, in points.
        end: Position of the highest value, in points.
        ticks: Maximum number of ticks.
        span: Smallest distance between the ends of the scale, in percent points.
    """
    low, high = finite_range(values)
    room = max(0.04 * (high - low), 0.25, (span - (high - low)) / 2)
    low, high = low - room, high + room
    shown = [tick for tick in nice_ticks(low, high, ticks) if 0 <= tick <= 100]
    unit = abs(end - start) / (high - low)
    while len(shown) > 1 and (shown[1] - shown[0]) * unit < _MIN_TICK_DISTANCE:
        shown = shown[::2]
    return Scale(low, high, start, end, tuple(shown))


def finite_range(values: ArrayLike) -> tuple[float, float]:
    """Returns the smallest and the largest finite value; 0 and 100 without one."""
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 100.0)


def nice_ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[float]:
    """Returns round values in a range, at most a number of them.

    Args:
        low: Lowest value.
        high: Highest value, above `low`.
        most: Maximum number of values, 2 or more.
        whole: Whether values are whole numbers.
    """
    raw = (high - low) / max(most, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    steps = [power * step for step in _TICK_STEPS if power * step >= raw * (1 - 1e-9)]
    step = max(1.0, round(steps[0])) if whole else steps[0]
    found = _multiples(low, high, step)
    # A range may lie between two round values.
    return found if len(found) > 1 or whole else _multiples(low, high, step / 2)[:most]


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def format_ticks(ticks: Sequence[float]) -> list[str]:
    """Returns the texts of ticks, all with the same number of decimals."""
    decimals = max((_decimals(tick) for tick in ticks), default=0)
    return [f"{tick:,.{decimals}f}".replace("-", "\N{MINUS SIGN}") for tick in ticks]


def _decimals(value: float) -> int:
    return next(d for d in range(13) if d == 12 or math.isclose(round(value, d), value))
