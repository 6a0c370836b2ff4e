"""A grid of short runs."""

from __future__ import annotations

from benchmarks.throughput.process import Measurement
from benchmarks.throughput.scale import Scale
from benchmarks.throughput.section import Column, Section


def rows(scale: Scale) -> dict[str, Measurement]:
    """Returns the row of the grid, with one run per core, or one at a time on a GPU."""
    jobs = 1 if scale.device == "cuda" else scale.workers
    arguments = {"runs": scale.grid_runs, "jobs": jobs, "device": scale.device}
    return {"embedded default": Measurement("measured.grid", arguments, once=True)}


GRID = Section(
    "grid",
    "A grid of short runs",
    rows,
    (
        Column("runs", "runs", "d"),
        Column("jobs", "jobs", "d"),
        Column("seconds", "seconds", ".1f"),
        Column("training and evaluation s", "own_seconds", ".1f"),
        Column("times", "times"),
    ),
)
