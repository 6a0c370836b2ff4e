"""Label and style of each method, the same in all figures of a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ltbench.analysis.comparison.short_labels import ShortLabels, short_labels
from ltbench.report.figures.canvas import Key
from ltbench.report.figures.style import (
    FIGURE_WIDTH,
    MAX_COLOURED_LINES,
    MethodStyle,
    background_style,
    method_style,
)


@dataclass(frozen=True)
class MethodLooks:
    """Labels and styles of methods.

    Args:
        names: Names, the most important first; styles follow this order.
        labels: Labels of the names.
    """

    names: tuple[str, ...]
    labels: ShortLabels

    @classmethod
    def of(cls, names: Iterable[str]) -> MethodLooks:
        """Returns looks for names, the most important first."""
        unique = tuple(dict.fromkeys(names))
        return cls(unique, short_labels(unique))

    def including(self, names: Iterable[str]) -> MethodLooks:
        """Returns looks that also have other names, after their own."""
        every = tuple(dict.fromkeys([*self.names, *names]))
        return self if every == self.names else MethodLooks.of(every)

    def label(self, name: str) -> str:
        """Returns the short label of a method."""
        return self.labels.texts[name]

    def style(self, name: str) -> MethodStyle:
        """Returns the style of a method."""
        return method_style(self.names.index(name))

    def line_styles(self, names: Sequence[str]) -> list[MethodStyle]:
        """Returns the styles of the methods of a figure: thin and grey beyond the 12th."""
        return [
            self.style(name) if place < MAX_COLOURED_LINES else background_style()
            for place, name in enumerate(names)
        ]

    def key(self, names: Iterable[str], width: float = FIGURE_WIDTH) -> Key:
        """Returns the key of the labels of a figure."""
        return Key(self.labels.key(names), width)


NO_LOOKS = MethodLooks((), ShortLabels({}, {}))
"""Looks of a figure that is on no page."""
