"""Labels of cells from several data sets and backbones."""

from __future__ import annotations

from collections.abc import Sequence

from ltbench.analysis.comparison.config_diff import diff_choices, list_choices
from ltbench.analysis.dataset_titles import dataset_titles
from ltbench.storage.results import Cell


def label_cells(cells: Sequence[Cell]) -> list[str]:
    """Returns a label for each cell: method, data set, backbone, and the choices that differ."""
    alike: dict[str, list[Cell]] = {}
    titles = dataset_titles([cell.spec.dataset for cell in cells])
    base = [_base_label(cell, title) for cell, title in zip(cells, titles, strict=True)]
    for cell, name in zip(cells, base, strict=True):
        alike.setdefault(name, []).append(cell)
    found = {}
    for name, group in alike.items():
        members = list({cell.key: cell for cell in group}.values())
        unlike = diff_choices([list_choices(cell.spec) for cell in members])
        # Options of a data set also change its identity. The options alone are easier to read.
        chosen = {key: v for key, v in unlike.items() if not key.endswith((".identity", ".plugin"))}
        for place, cell in enumerate(members):
            own = ", ".join(f"{key} {values[place]}" for key, values in (chosen or unlike).items())
            found[cell.key] = f"{name} ({own})" if own else name
    return [found[cell.key] for cell in cells]


def _base_label(cell: Cell, dataset: str) -> str:
    spec = cell.spec
    return f"{spec.method.name} on {dataset} with {spec.backbone.name}"
