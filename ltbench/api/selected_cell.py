"""Selection of a cell, runs that differ in their seed alone, by name, hash, path or settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ltbench.analysis.comparison.config_diff import name_cells
from ltbench.errors import ConfigError, DataError, leading, quoted, suggestion
from ltbench.storage.results import Cell, Found, group
from ltbench.storage.run_filter import RunFilter

_HASH = re.compile(r"[0-9a-f]{6,12}")
_MAX_LISTED_CHARACTERS = 400


def selected_cell(cells: Sequence[Cell], given: str | Path | Mapping[str, Any]) -> Cell:
    """Returns the one cell that is meant.

    Args:
        cells: Cells to select from.
        given: Name of a method or of a cell, at least six digits of a hash, path of a run
            directory or of a folder above some, or settings by key.

    Raises:
        ConfigError: It means several cells, or is none of these.
        DataError: No run is meant.
    """
    if isinstance(given, Mapping):
        found = RunFilter.from_settings(given).keep(_found(cells))
        return _single(group(found.runs), given)
    if not isinstance(given, str | Path):
        raise ConfigError(
            f"compare: expected a method, a hash, a path or settings, got {quoted(given)}",
            hint="as in results.compare(NAME, {'method': OTHER, 'train.epochs': 3})",
        )
    chosen = _named(cells, given) if isinstance(given, str) else []
    chosen = chosen or _below(cells, given)
    if not chosen:
        known = dict.fromkeys(cell.spec.method.name for cell in cells)
        raise DataError(f"compare: no run is meant by {quoted(given)}", hint=_hint(given, known))
    return _single(chosen, given)


def _named(cells: Sequence[Cell], name: str) -> list[Cell]:
    """Returns the cells of a method or a name; of a hash, the one run."""
    chosen = [cell for cell in cells if cell.spec.method.name == name]
    if not chosen:
        chosen = [cell for cell, own in zip(cells, name_cells(cells), strict=True) if own == name]
    if not chosen and _HASH.fullmatch(name):
        runs = [
            run
            for cell in cells
            for run in (*cell.runs, *cell.repeats)
            if run.hash.startswith(name) or (run.earlier_hash or "").startswith(name)
        ]
        chosen = group(runs)
    return chosen


def _below(cells: Sequence[Cell], given: str | Path) -> list[Cell]:
    """Returns the cells of the runs in a folder."""
    if "\0" in str(given):
        return []
    folder = Path(given).absolute()
    runs = [run for cell in cells for run in (*cell.runs, *cell.repeats)]
    return group(run for run in runs if run.path.absolute().is_relative_to(folder))


def _single(cells: Sequence[Cell], given: object) -> Cell:
    if len(cells) == 1:
        return cells[0]
    names = name_cells(cells)
    listed = ", ".join(leading(names, _MAX_LISTED_CHARACTERS))
    more = "" if len(names) == len(leading(names, _MAX_LISTED_CHARACTERS)) else ", ..."
    raise ConfigError(
        f"compare: {quoted(given)} means {len(cells)} cells, whose runs differ in more than their "
        f"seed: {listed}{more}",
        hint="give one of these names, or settings as {'method': NAME, 'train.epochs': 3}",
    )


def _hint(given: object, known: Iterable[str]) -> str:
    return f"give a method, a hash, a path or settings; {suggestion(str(given), known)}"


def _found(cells: Sequence[Cell]) -> Found:
    return Found(tuple(run for cell in cells for run in cell.runs), ())
