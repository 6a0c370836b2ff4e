"""Measures commands that read a whole store, by the number of its runs.

    python -m benchmarks.stores                        # 100 to 100,000 runs: needs 1.5 GB of disk
    python -m benchmarks.stores --runs 100 1000
    python -m benchmarks.stores --package FOLDER --name before   # of a checkout of another version
    python -m benchmarks.stores --report               # a report of 1,000 rows, with predictions

Each command is a process of its own, and its output is thrown away. The first one is executed
twice: without an index, which it then writes, and with that index, which the others use as well.
Processor seconds are those of the process; elapsed seconds depend on whatever else the machine
does. Results are written after each command, in place of earlier ones of the same size.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.process import ROOT, measure
from benchmarks.stores.make import COMPARED_RATE, METHODS

RESULTS = ROOT / "benchmarks" / "results" / "stores"
SIZES = (100, 1_000, 10_000, 100_000)
INDEX = ".index.arrow"
REPORT_ROWS = 1_000
COMPARED = ("--where", f"train.lr={COMPARED_RATE}", "--where", "data_seed=0")
"""Cells that are compared: of all methods, those that have predictions."""


def commands(store: Path) -> Mapping[str, list[str]]:
    """Returns the arguments of Python for each command, by its name."""
    runs, grid = str(store / "runs"), str(store / "grid.toml")
    load = f"import ltbench; print(len(ltbench.load_results({runs!r})))"
    some = next((store / "runs").glob("*/*/*/*/result.json")).parent.name
    chosen = ["--where", "method=lift_plus", "--where", "seed=3"]
    methods = [str(store / "runs" / "digits_lt" / "clip_tiny" / name) for name in METHODS[:2]]
    every = {
        "leaderboard": ["-m", "ltbench", "leaderboard", runs],
        "compare": ["-m", "ltbench", "compare", *methods, *COMPARED],
        "runs list": ["-m", "ltbench", "runs", "list", runs, "--sort", "accuracy"],
        "runs list --where": ["-m", "ltbench", "runs", "list", runs, *chosen],
        "runs show": ["-m", "ltbench", "runs", "show", some, "--out", runs],
        "grid status": ["-m", "ltbench", "grid", "status", grid, "--out", runs],
        "load_results": ["-c", load],
        # Every run of the same file as a cell without files.
        "grid plan": ["-m", "ltbench", "grid", "plan", grid, "--out", str(store / "none")],
    }
    if not Path(methods[1]).exists():  # of a store with one method
        del every["compare"]
    return every


def figures_of(arguments: list[str], package: Path | None) -> dict[str, float]:
    """Returns the figures of a process of Python.

    Args:
        arguments: Arguments of Python.
        package: Checkout of another version, if it is to be measured.
    """
    environment = {"OMP_NUM_THREADS": "1"}
    if package is not None:
        environment["PYTHONPATH"] = os.pathsep.join([str(package), str(package / "plugins")])
    return measure(arguments, environment, package or ROOT).figures


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.stores",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=int, nargs="+", default=SIZES)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "stores")
    parser.add_argument("--package", type=Path, help="checkout of another version")
    parser.add_argument("--report", action="store_true", help="a report instead")
    parser.add_argument("--name", default="runs", help="name of the file of results")
    given = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    if given.report:
        store = made(given.folder / "report", 3 * REPORT_ROWS, "--predictions", "--seeds", "3")
        out = str(store.with_name("page"))
        arguments = ["-m", "ltbench", "report", str(store / "runs"), "--out", out]
        Rows(given.name, 3 * REPORT_ROWS, ["report"]).add(
            "report", figures_of(arguments, given.package)
        )
        return
    for runs in given.runs:
        store = made(given.folder / f"s{runs}", runs)
        index = store / "runs" / INDEX
        index.unlink(missing_ok=True)
        every = list(commands(store).items())
        rows = Rows(given.name, runs, [name for name, _ in every])
        for name, arguments in [every[0], *every]:
            was_there = index.exists()
            if name == "compare":  # earlier versions write indexes of its folders
                figures_of(arguments, given.package)
            rows.add(name, figures_of(arguments, given.package), index=was_there)


def made(store: Path, runs: int, *options: str) -> Path:
    """Returns the folder of a store, which is made where it is missing."""
    folder = store.absolute()
    if not folder.exists():  # by another process: the commands inherit the peak memory of this one
        make = [sys.executable, "-m", "benchmarks.stores.make", str(folder), "--runs", str(runs)]
        subprocess.run([*make, *options], check=True, cwd=ROOT)
    return folder


class Rows:
    """Measurements in a file, each written at once.

    Args:
        name: Name of the file.
        runs: Number of runs of the store.
        commands: Names of the commands whose earlier measurements with this number are dropped.
    """

    def __init__(self, name: str, runs: int, commands: list[str]) -> None:
        self._path, self._runs = RESULTS / f"{name}.json", runs
        known = json.loads(self._path.read_text("utf-8"))["rows"] if self._path.exists() else []
        self._rows = [
            row for row in known if (row["runs"], row["command"] in commands) != (runs, True)
        ]

    def add(self, command: str, found: dict[str, float], **more: Any) -> None:
        """Adds what a command took."""
        self._rows.append({"runs": self._runs, "command": command, **more, **found})
        print(self._rows[-1], flush=True)
        self._path.write_text(json.dumps({"rows": self._rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
