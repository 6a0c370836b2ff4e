"""Measures two versions of ltbench on the same machine, in turn.

    git worktree add ../before COMMIT
    python -m benchmarks.versions ../before                     # about 20 minutes on two cores
    python -m benchmarks.versions ../before --only run --rounds 5

Both versions use the libraries of this environment. Prints a table, and writes the numbers of every
round as JSON after each row.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from benchmarks.checkout import Version
from benchmarks.process import ROOT
from benchmarks.throughput.process import Measurement, Record
from benchmarks.throughput.scale import scale_of
from benchmarks.versions.rows import Row, rows

THREADS = os.cpu_count() or 1
OUT = ROOT / "benchmarks" / "results" / "versions.json"


def take(row: Row, version: Version, folder: Path) -> float:
    """Returns the seconds of a row in one version.

    Args:
        row: Work to measure.
        version: The version.
        folder: Folder of its files.

    Raises:
        SystemExit: The process failed.
    """
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        places = {"{out}": str(folder / "runs"), "{fresh}": fresh}
        arguments = [places.get(one, one) for one in row.arguments]
        done = version.run(arguments, folder)
    if not row.figure:
        return done.figures["cpu_seconds"]
    return float(json.loads(done.output.splitlines()[-1])[row.figure])


def compare(row: Row, versions: dict[str, Version], folder: Path, rounds: int) -> Record:
    """Returns the seconds of all rounds by version, and the median of their ratios.

    Args:
        row: Work to measure.
        versions: The version before, and this one, by name.
        folder: Folder with a folder of each version.
        rounds: Number of rounds in which the versions alternate.
    """
    taken: dict[str, list[float]] = {name: [] for name in versions}
    for number in range(-row.warm, rounds):
        for name, one in versions.items():
            value = take(row, one, folder / name)
            if number >= 0:
                taken[name].append(value)
    pairs = zip(*taken.values(), strict=True)
    ratios = [old / new for old, new in pairs]
    return {**taken, "times_as_fast": statistics.median(ratios)}


def table(found: dict[str, Record]) -> str:
    """Returns the medians as a table in Markdown."""
    lines = ["| | before | now | times as fast |", "|---|---|---|---|"]
    for title, record in found.items():
        medians = [f"{statistics.median(record[name]):.3g} s" for name in ("before", "now")]
        lines.append(f"| {title} | {' | '.join(medians)} | {record['times_as_fast']:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path, help="checkout of the version before")
    parser.add_argument("--only", default="", help="rows with this text in their title")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    scale = scale_of("cpu", ROOT / "build" / "throughput", quick=False)
    Measurement("images", {"root": scale.tree, **vars(scale.counts)}).take()
    found: dict[str, Record] = {}
    with tempfile.TemporaryDirectory() as folder:
        versions = {}
        for name, checkout in {"before": options.before.resolve(strict=True), "now": ROOT}.items():
            (Path(folder) / name).mkdir()
            versions[name] = Version(checkout, Path(folder) / f"{name}-compiled", THREADS)
        for title, row in rows(scale, Path(folder)).items():
            if options.only in title:
                found[title] = compare(row, versions, Path(folder), options.rounds)
                machine = {"cores": THREADS, "torch": version("torch")}
                text = json.dumps({"machine": machine, "rows": found}, indent=1)
                options.out.write_text(text + "\n", encoding="utf-8")
                print(title, found[title], file=sys.stderr)
    print(table(found))


if __name__ == "__main__":
    main()
