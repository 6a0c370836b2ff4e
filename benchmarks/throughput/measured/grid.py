"""A grid of short runs, against what its runs train and evaluate."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.throughput.measured.commands import ltbench


def run(runs: int, jobs: int, device: str) -> dict[str, Any]:
    """Returns the seconds of the grid, and the times that they are of the runs' own over the jobs.

    Args:
        runs: Seeds of the embedded default.
        jobs: Runs at the same time.
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
