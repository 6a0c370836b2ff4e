"""A part of the benchmark: rows that are measured in turn, and what is shown of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.throughput.process import Measurement
from benchmarks.throughput.results import Rows
from benchmarks.throughput.scale import Scale


@dataclass(frozen=True)
class Column:
    """A figure of the table.

    Args:
        title: Title with its unit.
        figure: Name of the figure in the records.
        form: Format specification of Python's `format`.
    """

    title: str
    figure: str
    form: str = ".2f"


@dataclass(frozen=True)
class Section:
    """A part of the benchmark.

    Args:
        name: Name for `--only`.
        title: Meaning of the rows.
        rows: Measurements by the names of the rows.
        columns: Columns of the table.
    """

    name: str
    title: str
    rows: Callable[[Scale], Mapping[str, Measurement]]
    columns: tuple[Column, ...]

    def take(self, scale: Scale, tell: Callable[[str], None]) -> Rows:
        """Measures every row in turn, then all again: what disturbs one disturbs its neighbours.

        Args:
            scale: Amount of measurements.
            tell: Callback for the name of the current measurement.
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
