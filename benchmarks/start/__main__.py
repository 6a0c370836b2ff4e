"""Measures what precedes a run: commands, the first training step, imports of a worker.

    python -m benchmarks.start                       # about three minutes
    python -m benchmarks.start --against FOLDER      # and a checkout of another version, in turn
    python -m benchmarks.start --rounds 1 --only imports

Processor seconds are the least of all rounds, and elapsed seconds too: both depend on what else the
machine does. The table of imports has medians.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.checkout import Version
from benchmarks.process import ROOT
from benchmarks.start import commands, imports

RESULTS = ROOT / "benchmarks" / "results" / "start"
PARTS = {"commands": commands.measured, "imports": imports.measured}
_LISTED = 25  # libraries of the printed table


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.start",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--against", type=Path, help="checkout of another version")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    given = parser.parse_args()
    packages = {"before": given.against.absolute()} if given.against else {}
    given.out.mkdir(parents=True, exist_ok=True)
    for part in [given.only] if given.only else PARTS:
        with tempfile.TemporaryDirectory() as folder:
            versions = {
                name: Version(package, Path(folder) / name / "compiled")
                for name, package in {**packages, "now": ROOT}.items()
            }
            work = Path(folder) / "work"
            work.mkdir()
            rows = []
            for row in PARTS[part](versions, work, given.rounds):
                rows.append(row)
                if part == "commands":
                    print(row, flush=True)
        if part == "imports":
            print("\n".join(table(rows, list(versions))))
        path = given.out / f"{part}.json"
        path.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")


def table(rows: Sequence[dict[str, Any]], versions: Sequence[str]) -> list[str]:
    """Returns the lines of the table of libraries, in Markdown."""
    found = {(row["library"], row["version"]): row for row in rows}
    largest = {name: max(row["ms"] for row in rows if row["library"] == name) for name, _ in found}
    names = sorted(largest, key=lambda name: -largest[name])[:_LISTED]
    heads = [f"{version}: ms, modules, MB" for version in versions]
    lines = [f"| library | imported by | {' | '.join(heads)} |", "|---" * (len(heads) + 2) + "|"]
    for name in names:
        by = next(found[name, version]["by"] for version in versions if (name, version) in found)
        cells = [_cell(found.get((name, version))) for version in versions]
        lines.append(f"| {name} | {by} | {' | '.join(cells)} |")
    sums = [_sum([row for row in rows if row["version"] == version]) for version in versions]
    return [*lines, f"| all | | {' | '.join(map(_cell, sums))} |"]


def _sum(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {figure: sum(row[figure] for row in rows) for figure in ("ms", "modules", "mb")}


def _cell(row: dict[str, Any] | None) -> str:
    return f"{row['ms']:,.0f}, {row['modules']:,.0f}, {row['mb']:,.0f}" if row else ""


if __name__ == "__main__":
    main()
