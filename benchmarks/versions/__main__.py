"""Measures two versions of ltbench on the same machine, in turn.

    git worktree add ../before v0.1.0
    python -m benchmarks.versions ../before                     # about 20 minutes on two cores
    python -m benchmarks.versions ../before --only run --rounds 5

Both versions use the libraries of this environment. Prints a table, and writes the numbers of every
round as JSON after each row.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.throughput.process import ROOT, Measurement, Record
from benchmarks.throughput.scale import scale_of
from benchmarks.versions.rows import PROCESSOR_SECONDS, Row, rows

OUT = ROOT / "benchmarks" / "results" / "versions.json"


def take(row: Row, checkout: Path, folder: Path) -> float:
    """Returns a figure of a row in one version.

    Args:
        row: What is done.
        checkout: Checkout of the version.
        folder: Folder of the version.

    Raises:
        SystemExit: The process failed.
    """
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        arguments = [one.replace("{out}", str(folder / "runs")) for one in row.arguments]
        arguments = [one.replace("{fresh}", fresh) for one in arguments]
        before = _processor_seconds()
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=checkout,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(checkout), str(checkout / "plugins")]),
                "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(os.cpu_count())),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{checkout}: {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    if row.figure == PROCESSOR_SECONDS:
        return _processor_seconds() - before
    return float(json.loads(done.stdout.splitlines()[-1])[row.figure])


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def compare(row: Row, checkouts: dict[str, Path], folder: Path, rounds: int) -> Record:
    """Returns the figures of all rounds by version, and the median of their ratios.

    Args:
        row: What is done.
        checkouts: Checkouts by name: the version before, and this one.
        folder: Folder with a folder of each version.
        rounds: Number of rounds in which the versions alternate.
    """
    taken: dict[str, list[float]] = {name: [] for name in checkouts}
    for number in range(-row.warm, rounds):
        for name, checkout in checkouts.items():
            value = take(row, checkout, folder / name)
            if number >= 0:
                taken[name].append(value)
    pairs = zip(*taken.values(), strict=True)
    ratios = [new / old if row.faster_is_more else old / new for old, new in pairs]
    return {"figure": row.figure, **taken, "times_as_fast": statistics.median(ratios)}


def table(found: dict[str, Record]) -> str:
    """Returns the medians as a table in Markdown."""
    lines = ["| | before | now | times as fast |", "|---|---|---|---|"]
    for title, record in found.items():
        unit = "images/s" if record["figure"] == "whole" else "s"
        medians = [f"{statistics.median(record[name]):.3g} {unit}" for name in ("before", "now")]
        lines.append(f"| {title} | {' | '.join(medians)} | {record['times_as_fast']:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("before", type=Path, help="checkout of the version before")
    parser.add_argument("--only", default="", help="rows with this text in their title")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    scale = scale_of("cpu", ROOT / "build" / "throughput", quick=False)
    Measurement("images", {"root": scale.tree, **vars(scale.counts)}).take()
    checkouts = {"before": options.before.resolve(strict=True), "now": ROOT}
    found: dict[str, Record] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in checkouts:
            (Path(folder) / name).mkdir()
        for title, row in rows(scale, Path(folder)).items():
            if options.only in title:
                found[title] = compare(row, checkouts, Path(folder), options.rounds)
                machine = {"cores": os.cpu_count(), "threads": os.environ.get("OMP_NUM_THREADS")}
                text = json.dumps({"machine": machine, "rows": found}, indent=1)
                options.out.write_text(text + "\n", encoding="utf-8")
                print(title, found[title], file=sys.stderr)
    print(table(found))


if __name__ == "__main__":
    main()
