"""Search spaces: the values of some settings that the trials of a method try."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ltbench.config.options import as_typed
from ltbench.specs import Settings

_DIGITS = 3  # significant digits of a drawn number
_EDGE = 0.05  # share of a range that counts as its end


@dataclass(frozen=True)
class Choices:
    """A setting with a list of values.

    Args:
        key: Dotted key of the setting.
        values: Values, as JSON has them.
    """

    key: str
    values: tuple[Any, ...]

    def at(self, share: float) -> Any:
        """Returns the value at a share of the list, from 0 up to but not including 1."""
        return self.values[int(share * len(self.values))]

    def contains(self, value: Any) -> bool:
        """Returns whether a value is one of the list."""
        return any(_same(value, one) for one in self.values)

    def is_edge(self, value: Any) -> bool:
        """Returns whether a number is the smallest or the largest of three or more."""
        numbers = [one for one in self.values if type(one) in (int, float)]
        return len(numbers) == len(self.values) > 2 and value in (min(numbers), max(numbers))

    def __str__(self) -> str:
        return ", ".join(map(as_typed, self.values))


@dataclass(frozen=True)
class Range:
    """A setting with a range of numbers.

    Args:
        key: Dotted key of the setting.
        low: Smallest value.
        high: Largest value.
        log: Whether factors of equal size are equally probable, instead of steps.
        whole: Whether the values are whole numbers.
    """

    key: str
    low: float
    high: float
    log: bool
    whole: bool

    def at(self, share: float) -> Any:
        """Returns the value at a share of the range, from 0 to 1.

        >>> Range("train.lr", 0.001, 0.1, log=True, whole=False).at(0.5)
        0.01
        >>> [Range("train.epochs", 5, 8, log=False, whole=True).at(s) for s in (0, 0.3, 0.99)]
        [5, 6, 8]
        """
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            value = math.exp(low + share * (high - low))
        else:
            value = self.low + share * (self.high - self.low + self.whole)
        return self.rounded(math.floor(value) if self.whole and not self.log else value)

    def rounded(self, value: float) -> Any:
        """Returns the nearest value of the range with three significant digits."""
        near = round(value) if self.whole else float(f"{value:.{_DIGITS}g}")
        return min(max(near, self.low), self.high)

    def contains(self, value: Any) -> bool:
        """Returns whether a value is in the range."""
        if type(value) not in ((int,) if self.whole else (int, float)):
            return False
        return bool(self.low <= value <= self.high)

    def is_edge(self, value: Any) -> bool:
        """Returns whether a value is at an end of the range."""
        low, high, at = (
            (math.log(one) if self.log else one) for one in (self.low, self.high, value)
        )
        return not _EDGE < (at - low) / (high - low) < 1 - _EDGE

    def __str__(self) -> str:
        ends = f"{as_typed(self.low)}..{as_typed(self.high)}"
        return f"log:{ends}" if self.log else ends


Dimension = Choices | Range


@dataclass(frozen=True)
class Space:
    """Search space of a method.

    Args:
        method: Name of the method.
        dimensions: Settings that are searched.
        start: Their values without a search, which the first trial has; None where the space does
            not contain them.
    """

    method: str
    dimensions: tuple[Dimension, ...]
    start: Settings | None

    @property
    def size(self) -> int | None:
        """Number of points; None where a setting has a range of fractions."""
        sizes = [_size(dimension) for dimension in self.dimensions]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    def contains(self, settings: Settings) -> bool:
        """Returns whether settings are a point of the space."""
        keys = {one.key for one in self.dimensions}
        return settings.keys() == keys and all(
            one.contains(settings[one.key]) for one in self.dimensions
        )

    def points(self) -> Iterator[dict[str, Any]]:
        """Yields all points of a finite space; the last setting changes fastest."""
        keys = [dimension.key for dimension in self.dimensions]
        for values in itertools.product(*map(_values, self.dimensions)):
            yield dict(zip(keys, values, strict=True))

    def at_edge(self, settings: Settings) -> list[str]:
        """Returns the keys whose value is at an end of what was searched."""
        return [one.key for one in self.dimensions if one.is_edge(settings[one.key])]


def same_settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Returns whether two points have the same values; true is not 1."""
    return first.keys() == second.keys() and all(_same(first[key], second[key]) for key in first)


def _size(dimension: Dimension) -> int | None:
    if isinstance(dimension, Choices):
        return len(dimension.values)
    return int(dimension.high - dimension.low) + 1 if dimension.whole else None


def _values(dimension: Dimension) -> Sequence[Any]:
    if isinstance(dimension, Choices):
        return dimension.values
    return range(int(dimension.low), int(dimension.high) + 1)


def _same(first: Any, second: Any) -> bool:
    return first == second and isinstance(first, bool) == isinstance(second, bool)
