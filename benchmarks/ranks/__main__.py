"""Compares runs by 2 and 3 processes with runs by one, and writes the table of `docs/ranks.md`.

    python -m benchmarks.ranks [--only NAME]...

A few minutes of one core.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch

PAGE = Path(__file__).parents[2] / "docs" / "ranks.md"
_BEGIN, _END = "<!-- agreement: made by `make ranks` -->\n", "\n<!-- end of agreement -->"


def main() -> None:
    """Executes the cases and prints the differences; writes all of them into the page."""
    from benchmarks.ranks.cases import CASES
    from benchmarks.ranks.measure import SIZES, difference, execute_cases

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(CASES), help="case; repeatable")
    chosen = parser.parse_args().only
    names = chosen or list(CASES)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        execute_cases(names, Path(folder))
        print(f"{len(names)} cases: {time.perf_counter() - began:.0f} s")
        for name in names:
            found = [difference(name, Path(folder), size) for size in SIZES[1:]]
            cells = [f"{one.largest:.1e}, {one.relative:.1e}" for one in found]
            same = "the same" if all(one.same_accuracies for one in found) else "differ"
            rows.append(f"| {name} | {' | '.join(cells)} | {same} |")
            print(rows[-1], flush=True)
    if not chosen:
        titles = "| run | 2 processes | 3 processes | accuracies |\n|---|---|---|---|\n"
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(_BEGIN)
        after = rest.partition(_END)[2]
        text = f"{before}{_BEGIN}{titles}" + "\n".join(rows) + f"{_END}{after}"
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
