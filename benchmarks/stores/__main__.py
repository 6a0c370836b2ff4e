"""Measures commands that read a whole store, by the number of its runs.

    python -m benchmarks.stores                        # 100 to 100,000 runs: needs 1.5 GB of disk
    python -m benchmarks.stores --runs 100 1000
    python -m benchmarks.stores --package FOLDER --name before   # of a checkout of another version

Each command is a process of its own, and its output is thrown away. The first one is executed
twice: without an index, which it then writes, and with that index, which the others use as well.
Processor seconds are those of the process; elapsed seconds depend on whatever else the machine
does. Results are written after each command.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.stores.make import write_store
from benchmarks.stores.process import ROOT, measure

RESULTS = ROOT / "benchmarks" / "results" / "stores"
SIZES = (100, 1_000, 10_000, 100_000)
INDEX = ".index.arrow"


def commands(store: Path) -> Mapping[str, list[str]]:
    """Returns the arguments of Python for each command, by its name."""
    runs, grid = str(store / "runs"), str(store / "grid.toml")
    load = f"import ltbench; print(len(ltbench.load_results({runs!r})))"
    return {
        "leaderboard": ["-m", "ltbench", "leaderboard", runs],
        "runs list": ["-m", "ltbench", "runs", "list", runs, "--sort", "accuracy"],
        "grid status": ["-m", "ltbench", "grid", "status", grid, "--out", runs],
        "load_results": ["-c", load],
        # Every run of the same file as a cell without files.
        "grid plan": ["-m", "ltbench", "grid", "plan", grid, "--out", str(store / "none")],
    }


def environment_of(package: Path | None) -> dict[str, str]:
    """Returns the variables of a measured process, which may import another version."""
    threads = {"OMP_NUM_THREADS": "1"}
    if package is None:
        return threads
    return {**threads, "PYTHONPATH": os.pathsep.join([str(package), str(package / "plugins")])}


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(prog="benchmarks.stores", description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=SIZES)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "stores")
    parser.add_argument("--package", type=Path, help="checkout of another version")
    parser.add_argument("--name", default="runs", help="name of the file of results")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    RESULTS.mkdir(parents=True, exist_ok=True)
    for runs in given.runs:
        store = (given.folder / f"s{runs}").absolute()
        if not store.exists():
            write_store(store, runs, predictions=False)
        index = store / "runs" / INDEX
        index.unlink(missing_ok=True)
        every = list(commands(store).items())
        for name, arguments in [every[0], *every]:
            was_there = index.exists()
            environment = environment_of(given.package)
            found = measure(arguments, environment, given.package or ROOT).figures
            rows.append({"runs": runs, "command": name, "index": was_there, **found})
            print(rows[-1], flush=True)
            path = RESULTS / f"{given.name}.json"
            path.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
