"""Sections of the benchmark: rows that are measured in turn, and columns that are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.throughput.process import Measurement
from benchmarks.throughput.results import Rows
from benchmarks.throughput.scale import Scale


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Args:
        title: Title with the unit.
        figure: Figure of the records.
        form: Format, as in Python's `format`.
    """

    title: str
    figure: str
    form: str = ".2f"


@dataclass(frozen=True)
class Section:
    """A section of the benchmark.

    Args:
        name: Name for `--only`.
        title: Title of the table.
        rows: Function from the scale to the measurements by row name.
        columns: Columns of the table.
    """

    name: str
    title: str
    rows: Callable[[Scale], Mapping[str, Measurement]]
    columns: tuple[Column, ...]

    def take(self, scale: Scale, tell: Callable[[str], None]) -> Rows:
        """Measures all rows in turn, round after round, so that disturbances affect all rows.

        Args:
            scale: Sizes of the measurements.
            tell: Callback with the current measurement.
        """
        measurements = self.rows(scale)
        taken: Rows = {name: [] for name in measurements}
        for number in range(scale.rounds):
            for name, measurement in measurements.items():
                if number and measurement.once:
                    continue
                tell(f"{self.name}, round {number + 1} of {scale.rounds}: {name}")
                taken[name].append(measurement.take())
        return taken
