"""Duration of a grid of short runs, compared with the training and evaluation of its runs."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.throughput.measured.commands import ltbench


def run(runs: int, jobs: int, device: str) -> dict[str, Any]:
    """Returns the seconds of the grid, also over the sum of its runs' seconds divided by jobs.

    Args:
        runs: Number of runs, which differ in the seed.
        jobs: Number of runs at the same time.
        device: Device of the runs.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "short.toml"
        file.write_text(f"[defaults]\ndataset = 'digits_lt'\nseed = {list(range(runs))}\n")
        options = ("--jobs", str(jobs), "--device", device, "--out", f"{folder}/runs")
        done = ltbench("grid", "run", str(file), "--json", *options)
        folders = [Path(run["directory"]) for run in json.loads(done.output)["runs"]]
        results = [json.loads((folder / "result.json").read_text()) for folder in folders]
    own = [result[stage]["seconds"] for result in results for stage in ("training", "evaluation")]
    return {
        "seconds": done.seconds,
        "own_seconds": sum(own),
        "runs": runs,
        "jobs": jobs,
        "times": done.seconds / (sum(own) / jobs),
    }
