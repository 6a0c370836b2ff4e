"""Start of a data set with a long list."""

from __future__ import annotations

from benchmarks.throughput.process import Measurement
from benchmarks.throughput.scale import Scale
from benchmarks.throughput.section import Column, Section


def rows(scale: Scale) -> dict[str, Measurement]:
    """Returns the row of the list."""
    arguments = {"data": scale.tree, "rows": scale.rows}
    return {f"{scale.rows:,} images": Measurement("measured.index", arguments)}


INDEX = Section(
    "index",
    "From lists to data set",
    rows,
    (Column("seconds", "seconds"), Column("MB", "memory_mb", ",.0f")),
)
