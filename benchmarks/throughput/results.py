"""Records of the measurements, and medians of their figures."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

from benchmarks.throughput.process import Record

Rows = dict[str, list[Record]]
"""Records of all rounds by row."""


@dataclass
class Results:
    """Records of one run of the benchmark.

    Args:
        machine: Record of `measured.machine`.
        sections: Rows by section.
    """

    machine: Record
    sections: dict[str, Rows] = field(default_factory=dict)

    def rounds(self, section: str, row: str, figure: str) -> list[float]:
        """Returns a figure of each round; an empty list if it was not measured."""
        records = self.sections.get(section, {}).get(row, [])
        found = (_at(record, figure) for record in records)
        return [float(value) for value in found if value is not None]

    def median(self, section: str, row: str, figure: str) -> float | None:
        """Returns the median over the rounds."""
        rounds = self.rounds(section, row, figure)
        return statistics.median(rounds) if rounds else None

    def add_peaks(self, peaks: Record) -> None:
        """Raises the known peak of each precision where a new one is higher.

        Computes the MFU of each training step from it.
        """
        known = self.machine["peak_gflops"]
        peaks = self.machine["peak_gflops"] = {k: max(v, known[k]) for k, v in peaks.items()}
        for rows in self.sections.values():
            for record in (record for records in rows.values() for record in records):
                if "gflops" in record:
                    record["mfu"] = record["gflops"] / peaks[record["precision"]]


def _at(record: Record, figure: str) -> Any:
    """Returns a figure, or a nested one, such as "shares.data"."""
    found: Any = record
    for name in figure.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
