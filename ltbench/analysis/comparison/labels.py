"""Names of cells on several data sets and backbones."""

from __future__ import annotations

from collections.abc import Sequence

from ltbench.analysis.comparison.config_diff import choices, differing_choices
from ltbench.storage.results import Cell


def labels(cells: Sequence[Cell]) -> list[str]:
    """Returns for each cell method, data set and backbone, and what tells it from the others."""
    alike: dict[str, list[Cell]] = {}
    base = [_base(cell) for cell in cells]
    for cell, name in zip(cells, base, strict=True):
        alike.setdefault(name, []).append(cell)
    found = {}
    for name, group in alike.items():
        members = list({cell.key: cell for cell in group}.values())
        unlike = differing_choices([choices(cell.spec) for cell in members])
        # Other options of a data set give it another identity: the options say it better.
        told = {key: v for key, v in unlike.items() if not key.endswith((".identity", ".plugin"))}
        for place, cell in enumerate(members):
            own = ", ".join(f"{key} {values[place]}" for key, values in (told or unlike).items())
            found[cell.key] = f"{name} ({own})" if own else name
    return [found[cell.key] for cell in cells]


def _base(cell: Cell) -> str:
    spec = cell.spec
    return f"{spec.method.name} on {spec.dataset.name} with {spec.backbone.name}"
