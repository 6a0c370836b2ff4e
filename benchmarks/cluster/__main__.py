"""Measures the overhead of an executor with a grid of instant runs.

    python -m benchmarks.cluster local
    RAY_ADDRESS=node1:6379 python -m benchmarks.cluster ray --set executor.cpus=1
    python -m benchmarks.cluster slurm --folder /shared/overhead --set executor.poll_seconds=2

Prints a row of the table in benchmarks/results/cluster, and writes it there as NAME.json. The job
of each run copies the result of another run, in milliseconds; the rest of the time is the
executor's. Fails where a job was not started exactly once.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

RESULTS = Path(__file__).parents[1] / "results" / "cluster"


def main() -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks.cluster", description=__doc__)
    parser.add_argument("executor", help="name of the executor")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--jobs", type=int, help="jobs at the same time")
    parser.add_argument("--folder", type=Path, help="folder that all nodes see")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of NAME.json")
    parser.add_argument("--set", dest="settings", action="append", default=[])
    given = parser.parse_args()

    from benchmarks.cluster.measured import lines, measure
    from ltbench.cli.options import read_assignments

    settings, faults = read_assignments(given.settings)
    if faults:
        parser.error("; ".join(faults))
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        measured = measure(given.executor, given.runs, Path(folder), settings, given.jobs)
    print("\n".join(lines([measured])))
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"{given.executor}.json"
    path.write_text(json.dumps({**asdict(measured), "options": given.settings}, indent=2) + "\n")
    return int(measured.started_once != given.runs or measured.done != given.runs)


if __name__ == "__main__":
    sys.exit(main())
