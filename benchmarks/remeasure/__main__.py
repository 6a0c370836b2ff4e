"""Measures what pages quote of digits_lt and glyphs_lt with the code of today: `make results`.

    python -m benchmarks.remeasure [--only PART]... [--again] [--jobs N]

Runs are kept in build/results: what is there is not executed again, also after an interruption or
a change of the code, and methods that were added since are the only ones that are run. `--again`
removes them first, so that everything is measured with the code of today. One to two hours of
one core. `make results` then writes the reports and figures of the stored runs.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: the same bits on every machine

WORK = Path(__file__).parents[2] / "build" / "results"
"""Folder of the runs, ignored by git."""


def _parts(work: Path, jobs: int) -> Mapping[str, tuple[Path, Callable[[], None]]]:
    """Returns the folder and the function of each part, in order."""
    from benchmarks.digits import every_method, study
    from benchmarks.remeasure import grids, pages

    def digits() -> None:
        grids.measure(grids.DIGITS, work, jobs)
        grids.pack_board()

    runs, stored = work / "digits", work / "benchmarks" / "results"
    return {
        "study": (runs, lambda: study.measure(runs)),
        "every_method": (runs, lambda: every_method.measure(runs)),
        "digits": (stored / "digits", digits),
        "glyphs": (stored / "glyphs", lambda: grids.measure(grids.GLYPHS, work, jobs)),
        "pages": (work / "pages", lambda: pages.measure(work / "pages")),
    }


def main() -> None:
    """Measures all parts, or some of them."""
    parts = _parts(WORK, 1)
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(parts), help="part; repeatable")
    parser.add_argument("--again", action="store_true", help="execute finished runs again")
    parser.add_argument("--jobs", type=int, default=1, help="runs of a grid at the same time")
    chosen = parser.parse_args()
    parts = _parts(WORK, chosen.jobs)
    names = chosen.only or list(parts)
    if chosen.again:
        for folder in {parts[name][0] for name in names}:
            shutil.rmtree(folder, ignore_errors=True)
    WORK.mkdir(parents=True, exist_ok=True)
    kept = sum(1 for _ in WORK.rglob("result.json"))
    print(f"{kept} finished runs are kept; --again executes those of the parts again", flush=True)
    for name in names:
        print(f"measuring {name}", flush=True)
        parts[name][1]()


if __name__ == "__main__":
    main()
