"""Figures of time and memory by the number of images and of classes, from stored measurements."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.stores.growth import draw_growth, lines_of
from ltbench.report.figures.output import svg_file

RESULTS = Path(__file__).parents[1] / "results" / "growth"
_QUANTITIES = {"processor seconds": "cpu_seconds", "peak memory, MB": "peak_mb"}


@dataclass(frozen=True)
class _Drawn:
    """Commands of a figure, the most expensive of those that grow alike.

    Args:
        size: Name of the sizes.
        commands: Names of the commands.
    """

    size: str
    commands: tuple[str, ...]


FIGURES = {
    "images": _Drawn(
        "training images",
        (
            "list, first time",
            "list, again",
            "classifier_only, first run",
            "classifier_only, another seed",
            "eval of the training images",
            "diagnose",
        ),
    ),
    "classes": _Drawn(
        "classes",
        ("classifier_only", "tip_adapter", "errors", "diagnose", "compare", "report"),
    ),
}


def growth(name: str, folder: Path) -> bytes:
    """Returns the figure of a file of results, as an SVG file.

    Args:
        name: Name of the file, and key of `FIGURES`.
        folder: Folder of the file.
    """
    rows = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["rows"]
    drawn = FIGURES[name]
    shown = [row for row in rows if row["command"] in drawn.commands]
    panels = {label: lines_of(shown, "size", key) for label, key in _QUANTITIES.items()}
    return svg_file(draw_growth(panels, {}, drawn.size), f"growth_{name}")


def draw(folder: Path = RESULTS) -> None:
    """Writes the figure of each file of results in a folder."""
    for name in FIGURES:
        if (folder / f"{name}.json").exists():
            (folder / f"{name}.svg").write_bytes(growth(name, folder))
