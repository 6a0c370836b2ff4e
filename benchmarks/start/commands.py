"""Commands that end at once, and what precedes the first training step of the demo."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.checkout import Version
from benchmarks.process import ROOT
from benchmarks.throughput.measured.startup import IMPORTS

FLOOR = "import typer, rich.console, rich.table, pydantic, pluggy, importlib.metadata"
STORED = "ltbench run, stored"
FIRST_STEP = "ltbench run, to the first step"
_COMMAND = "from ltbench.cli import main; main()"
_STEP = ROOT / "benchmarks" / "throughput" / "measured" / "first_step.py"

QUICK: Mapping[str, Sequence[str]] = {
    "python": ["-c", "pass"],
    FLOOR: ["-c", f"{FLOOR}; pydantic.BaseModel"],
    "ltbench --help": ["-c", _COMMAND, "--help"],
    STORED: ["-c", _COMMAND, "run"],
}
"""Arguments of Python for each command that takes less than a second."""

SLOW = (IMPORTS, FIRST_STEP)


def measured(
    versions: Mapping[str, Version], folder: Path, rounds: int
) -> Iterator[dict[str, Any]]:
    """Yields a row for each command and version, after measuring them in turn.

    Args:
        versions: Versions by name.
        folder: Empty folder.
        rounds: Number of measurements of the slow commands; quick ones have three times as many.
    """
    for version in versions.values():
        version.run(["-c", _COMMAND, "run"], folder)  # is stored, and compiles the modules
        version.run(["-c", _COMMAND, "--help"], folder)
    for name in (*QUICK, *SLOW):
        taken: dict[str, list[Mapping[str, float]]] = {label: [] for label in versions}
        for _ in range(rounds if name in SLOW else 3 * rounds):
            for label, one in versions.items():
                taken[label].append(_take(name, one, folder))
        for label, found in taken.items():
            cpu = [used["cpu_seconds"] for used in found]
            seconds = [used["seconds"] for used in found]
            yield {
                "command": name,
                "version": label,
                "cpu_seconds": round(min(cpu), 3),
                "median_cpu_seconds": round(statistics.median(cpu), 3),
                "seconds": round(min(seconds), 3),
                "peak_mb": round(statistics.median(used["peak_mb"] for used in found)),
            }


def _take(name: str, version: Version, folder: Path) -> Mapping[str, float]:
    if name in QUICK:
        return version.run(QUICK[name], folder).figures
    if name == IMPORTS:
        return version.run(["-c", IMPORTS], folder).figures
    note = folder / "first_step.json"
    note.unlink(missing_ok=True)
    arguments = [str(_STEP), "run", "--json", "--overwrite", "always", "--out", "unfinished"]
    whole = version.run(arguments, folder, {"FIRST_STEP": str(note), "FIRST_STEP_ENDS": "1"})
    step: dict[str, float] = json.loads(note.read_text())
    return {**whole.figures, **step}
