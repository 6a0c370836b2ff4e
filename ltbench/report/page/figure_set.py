"""Figures of a report: on its page, and as files beside it."""

from __future__ import annotations

from matplotlib.figure import Figure

from ltbench.report.figures.looks import NO_LOOKS, MethodLooks
from ltbench.report.figures.output import draw_svg, figure_files, to_svg
from ltbench.report.page.content import Picture


class FigureSet:
    """Collection of figures by name, to be saved as files.

    Args:
        looks: Labels and styles of the methods of the page, for all its figures.
    """

    def __init__(self, looks: MethodLooks = NO_LOOKS) -> None:
        self.looks = looks
        self._figures: dict[str, tuple[Figure, bytes]] = {}

    def __len__(self) -> int:
        return len(self._figures)

    def add(
        self,
        name: str,
        figure: Figure,
        caption: str,
        description: str,
        *,
        narrow: Figure | None = None,
    ) -> Picture:
        """Adds a figure, and returns it as a picture for the page.

        Args:
            name: Name in snake_case, unique in the report.
            figure: Figure drawn by `ltbench.report.figures`.
            caption: Description of the figure and of how to read it.
            description: Content as text, for screen readers.
            narrow: Another form of the figure for narrow screens; None for the same.
        """
        drawn = draw_svg(figure, name)  # once for the page and the file
        self._figures[name] = figure, drawn
        if narrow is None:
            return Picture(name, caption, to_svg(figure, name, drawn=drawn), description)
        wide = to_svg(figure, name, kind="wide", drawn=drawn)
        forms = wide, to_svg(narrow, f"{name}_narrow", kind="narrow")
        return Picture(name, caption, "".join(forms), description)

    def files(self) -> dict[str, bytes]:
        """Returns the content of each figure's SVG and PDF file by name."""
        files: dict[str, bytes] = {}
        for name, (figure, drawn) in self._figures.items():
            files |= figure_files(figure, name, drawn)
        return files
