"""Figures of a report: on its page, and as files beside it."""

from __future__ import annotations

from matplotlib.figure import Figure

from ltbench.report.figures.output import figure_files, to_svg
from ltbench.report.page.content import Picture


class FigureSet:
    """Collection of figures by name, to be saved as files."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def __len__(self) -> int:
        return len(self._figures)

    def add(self, name: str, figure: Figure, caption: str, description: str) -> Picture:
        """Adds a figure, and returns it as a picture for the page.

        Args:
            name: Name in snake_case, unique in the report.
            figure: Figure drawn by `ltbench.report.figures`.
            caption: Description of the figure and of how to read it.
            description: Content as text, for screen readers.
        """
        self._figures[name] = figure
        return Picture(name, caption, to_svg(figure, name), description)

    def files(self) -> dict[str, bytes]:
        """Returns the content of each figure's SVG and PDF file by name."""
        files: dict[str, bytes] = {}
        for name, figure in self._figures.items():
            files |= figure_files(figure, name)
        return files
