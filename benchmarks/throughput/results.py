"""Measurements, and values computed from them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

from benchmarks.throughput.process import Record

Rows = dict[str, list[Record]]
"""Row -> what each round found."""


@dataclass
class Results:
    """All that a command measured.

    Args:
        machine: See `measured.machine`.
        sections: Rows by section.
    """

    machine: Record
    sections: dict[str, Rows] = field(default_factory=dict)

    def rounds(self, section: str, row: str, figure: str) -> list[float]:
        """Returns a figure of each round; none where it was not measured."""
        records = self.sections.get(section, {}).get(row, [])
        found = (_at(record, figure) for record in records)
        return [float(value) for value in found if value is not None]

    def median(self, section: str, row: str, figure: str) -> float | None:
        """Returns the median over the rounds."""
        rounds = self.rounds(section, row, figure)
        return statistics.median(rounds) if rounds else None

    def add_peaks(self, peaks: Record) -> None:
        """Takes the peak of each precision where it is higher than what is known.

        Sets the operations of each training step against it.
        """
        known = self.machine["peak_gflops"]
        peaks = self.machine["peak_gflops"] = {k: max(v, known[k]) for k, v in peaks.items()}
        for rows in self.sections.values():
            for record in (record for records in rows.values() for record in records):
                if "gflops" in record:
                    record["mfu"] = record["gflops"] / peaks[record["precision"]]


def _at(record: Record, figure: str) -> Any:
    """Returns a figure, or one within another: "shares.data"."""
    found: Any = record
    for name in figure.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
