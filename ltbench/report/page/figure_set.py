"""The figures of a report: on its page, and as files beside it."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from ltbench.report.figures.output import save_figure, to_svg
from ltbench.report.page.content import Picture


class FigureSet:
    """Keeps figures by name until they are saved."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def __len__(self) -> int:
        return len(self._figures)

    def add(self, name: str, figure: Figure, caption: str, description: str) -> Picture:
        """Keeps a figure, and returns what the page shows of it.

        Args:
            name: In snake_case, unique in the report.
            figure: Of `ltbench.report.figures`.
            caption: What it shows and how to read it.
            description: What it shows in words, for those who cannot see it.
        """
        self._figures[name] = figure
        return Picture(name, caption, to_svg(figure, name), description)

    def save(self, folder: Path) -> None:
        """Writes each figure as SVG and PDF.

        Raises:
            RunError: They cannot be written.
        """
        for name, figure in self._figures.items():
            save_figure(figure, folder, name)
