"""Measures heavy and light fine-tuning on photographs, and stores its runs: `make photos`.

    ltbench data prepare grocery_store --source GroceryStoreDataset --data-root data
    make photos DATA=data

About two hours of one core. Runs are kept in build/results: an interrupted measurement goes on
where it stopped. `make photos` then writes the report and the pages.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: the same bits on every machine

from benchmarks.photos.study import DIAGNOSED, FOLDER, RESULTS, Study, measure
from benchmarks.remeasure.__main__ import WORK
from benchmarks.remeasure.command import ltbench
from benchmarks.remeasure.grids import replace_runs


def main() -> None:
    """Runs the study, diagnoses its encoders, and stores the runs without their weights."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data-root", type=Path, default=Path("data"), help="as for ltbench run")
    data_root = parser.parse_args().data_root.resolve()
    WORK.mkdir(parents=True, exist_ok=True)
    data = WORK / "data"  # results name the command and its folders: those are relative
    data.unlink(missing_ok=True)
    data.symlink_to(data_root)
    os.chdir(WORK)
    measure(Study(FOLDER, Path("data")))
    for name in DIAGNOSED:
        print(f"diagnosing {name}", flush=True)
        cell = str(FOLDER / "runs" / name)
        ltbench("diagnose", cell, "--data-root", "data", "--device", "cpu", folder=WORK)
    (RESULTS / "runs").mkdir(parents=True, exist_ok=True)
    replace_runs(WORK / FOLDER / "runs", RESULTS / "runs")


if __name__ == "__main__":
    main()
