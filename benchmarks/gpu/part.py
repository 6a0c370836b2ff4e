"""A part of the measurements: rows that are measured one by one, and goals for their figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from benchmarks.gpu.plan import Plan
from benchmarks.throughput.process import Measurement, Record
from benchmarks.throughput.section import Column

Rows = Mapping[str, Record]
"""Record of each row that was measured, by name."""


@dataclass(frozen=True)
class Goal:
    """Bound of a number of a part.

    Args:
        name: Name of the number, and of what it is compared with.
        value: Function from the rows to the number; None where a row is missing.
        sign: Side of the target on which the number must be.
        target: Bound.
        form: Format of the number, as in `benchmarks.throughput.table.shown`.
    """

    name: str
    value: Callable[[Rows], float | None]
    sign: Literal["≥", "≤"]
    target: float
    form: str = ".2f"

    def reached(self, value: float) -> bool:
        """Returns whether a number reaches the goal."""
        return value >= self.target if self.sign == "≥" else value <= self.target


@dataclass(frozen=True)
class Part:
    """A part of the measurements.

    Args:
        name: Name in the command.
        summary: Title of its table.
        rows: Function from the plan to the measurements by row name, the most important first.
        columns: Columns of its table.
        goals: Goals for its figures.
        needs_files: Whether it reads the photographs.
    """

    name: str
    summary: str
    rows: Callable[[Plan], Mapping[str, Measurement]]
    columns: tuple[Column, ...]
    goals: tuple[Goal, ...] = ()
    needs_files: bool = False


def figure(row: str, name: str) -> Callable[[Rows], float | None]:
    """Returns a function that reads a figure of a row."""

    def read(rows: Rows) -> float | None:
        found = rows.get(row, {}).get(name)
        return None if found is None else float(found)

    return read


def ratio(row: str, other: str, name: str) -> Callable[[Rows], float | None]:
    """Returns a function that divides a figure of a row by that of another row."""

    def divide(rows: Rows) -> float | None:
        mine, theirs = figure(row, name)(rows), figure(other, name)(rows)
        return mine / theirs if mine is not None and theirs else None

    return divide
