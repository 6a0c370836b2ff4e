"""Figures of time and memory by the number of images and of classes, from stored measurements."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.remeasure.marked import fill
from benchmarks.stores.growth import draw_growth, lines_of
from ltbench.report.figures.output import svg_file

PAGE = Path(__file__).parents[1] / "README.md"
RESULTS = PAGE.parent / "results" / "growth"
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


def table(name: str, folder: Path) -> str:
    """Returns processor seconds and peak memory of each command and size, in Markdown.

    Args:
        name: Name of a file of results.
        folder: Folder of the file.
    """
    rows = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["rows"]
    sizes = sorted({row["size"] for row in rows})
    found = {(row["command"], row["size"]): row for row in rows}
    lines = [
        f"| {FIGURES[name].size} | " + " | ".join(f"{size:,}" for size in sizes) + " |",
        "|---" * (1 + len(sizes)) + "|",
    ]
    for command in dict.fromkeys(row["command"] for row in rows):
        cells = [_cell(found.get((command, size))) for size in sizes]
        lines.append(f"| {command} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    seconds, memory = row["cpu_seconds"], row["peak_mb"] / 1000
    return (
        f"{seconds:,.0f} s, {memory:.1f} GB"
        if seconds >= 10
        else f"{seconds:.1f} s, {memory:.1f} GB"
    )


def show(folder: Path = RESULTS) -> None:
    """Writes the figure of each file of results in a folder, and the tables of the page.

    Args:
        folder: Folder of the results; the page has the tables of the committed ones alone.
    """
    names = [name for name in FIGURES if (folder / f"{name}.json").exists()]
    for name in names:
        (folder / f"{name}.svg").write_bytes(growth(name, folder))
    if folder == RESULTS:
        fill(PAGE, {f"growth with {name}": table(name, folder) for name in names})
