"""Imports of a grid's worker by library: processor time, modules and memory."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.checkout import Version
from benchmarks.process import ROOT

_WATCHED = ROOT / "benchmarks" / "start" / "watched_worker.py"


def measured(
    versions: Mapping[str, Version], folder: Path, rounds: int
) -> Iterator[dict[str, Any]]:
    """Yields a row for each library and version, after measuring them in turn.

    Args:
        versions: Versions by name.
        folder: Empty folder.
        rounds: Number of measurements, whose medians are the rows.
    """
    note = folder / "imports.json"
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name in versions}
    for number in range(rounds + 1):
        for name, version in versions.items():
            version.run([str(_WATCHED), str(note), str(folder / "workers")], folder)
            if number:  # the first one compiles
                taken[name].append(json.loads(note.read_text()))
    for name, rounds_of in taken.items():
        libraries = {library for one in rounds_of for library in one}
        rows = [
            {
                "library": library,
                "version": name,
                **{
                    figure: round(statistics.median(one[library][figure] for one in rounds_of), 1)
                    for figure in ("ms", "modules", "mb")
                },
                "by": rounds_of[0][library]["by"],
            }
            for library in libraries
        ]
        yield from sorted(rows, key=lambda row: -row["ms"])
