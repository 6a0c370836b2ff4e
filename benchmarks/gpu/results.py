"""The file of a part: written after each row, and continued by the next call."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.gpu.part import Goal, Part
from benchmarks.gpu.plan import Plan
from benchmarks.throughput.process import Measurement, Record
from ltbench.storage.files import write_json

_LONGEST_ERROR = 2_000  # characters of a failed row's message that are kept


@dataclass
class PartResults:
    """Rows of a part on one machine.

    Args:
        part: The part.
        machine: Record of `benchmarks.throughput.measured.machine`.
        rows: Record of each measured row.
        failed: Message of each row that could not be measured.
        quick: Whether the rows are those of tiny sizes.
    """

    part: Part
    machine: Record
    rows: dict[str, Record] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    quick: bool = False

    @classmethod
    def of(cls, part: Part, machine: Record, path: Path, *, quick: bool = False) -> PartResults:
        """Returns the rows of a file of the same machine, or none.

        Raises:
            SystemExit: The file cannot be read, or is of another machine, part or size.
        """
        try:
            stored = json.loads(path.read_text())
            of, name, tiny = stored["part"], stored["machine"]["name"], stored["quick"]
            rows = dict(stored["rows"])
        except FileNotFoundError:
            return cls(part, machine, quick=quick)
        except OSError as error:
            sys.exit(f"{path}: {error.strerror}; give another --out")
        except (LookupError, TypeError, ValueError):
            sys.exit(f"{path}: expected the file of a part; move it away, or give another --out")
        if (of, tiny) != (part.name, quick):
            sizes = " with --quick" if tiny else ""
            sys.exit(f"{path}: it has the rows of part {of}{sizes}; give another --out")
        if name != machine["name"]:
            sys.exit(f"{path}: measured on {name}; give another --out")
        return cls(part, machine, rows, quick=quick)

    def measure(
        self, plan: Plan, path: Path, until: float, report: Callable[[str], None]
    ) -> list[str]:
        """Measures the rows that are missing, and returns those that are missing still.

        Args:
            plan: Sizes of the measurements.
            path: File that is written after each row.
            until: Time at which the last measurement is stopped, by `time.monotonic`.
            report: Callback with the name of the current row.
        """
        planned = self.part.rows(plan)
        for name, measurement in planned.items():
            if name in self.rows:
                continue
            left = until - time.monotonic()
            if left <= 0:
                break
            report(name)
            try:
                self.rows[name] = self._with_mfu(measurement.take(timeout=left))
                self.failed.pop(name, None)
            except RuntimeError as error:
                self.failed[name] = str(error)[-_LONGEST_ERROR:]
            self.write(path)
        return [name for name in planned if name not in self.rows]

    def write(self, path: Path) -> None:
        """Writes the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, self.to_dict())

    def goals(self) -> Iterator[tuple[Goal, float]]:
        """Yields the goals whose rows are measured, with their numbers; none on a CPU."""
        if self.machine["device"] != "cuda":
            return
        for goal in self.part.goals:
            value = goal.value(self.rows)
            if value is not None:
                yield goal, value

    def to_dict(self) -> dict[str, Any]:
        """Returns the content of the file."""
        goals = [
            {
                "goal": goal.name,
                "measured": value,
                "sign": goal.sign,
                "target": goal.target,
                "reached": goal.reached(value),
            }
            for goal, value in self.goals()
        ]
        return {
            "part": self.part.name,
            "quick": self.quick,
            "machine": self.machine,
            "goals": goals,
            "rows": self.rows,
            "failed": self.failed,
        }

    def _with_mfu(self, record: Record) -> Record:
        """Adds the model FLOP utilisation to each figure of operations per second."""
        peaks = self.machine["peak_gflops"]
        found = dict(record)
        for key in [key for key in record if key.endswith("gflops") and record.get("precision")]:
            found[f"{key.removesuffix('gflops')}mfu"] = record[key] / peaks[record["precision"]]
        return found


def machine_of(device: str) -> Record:
    """Returns the description of the machine, with its peak of a large product."""
    return Measurement("measured.machine", {"device": device}).take()
