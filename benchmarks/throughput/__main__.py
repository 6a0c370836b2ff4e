"""Throughput of ltbench and of the usual alternatives, on the same images.

    python -m benchmarks.throughput                     # all: about an hour on two cores
    python -m benchmarks.throughput --quick             # one round, smaller sizes
    python -m benchmarks.throughput --only startup grid

Prints tables and writes the numbers of every round as JSON. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from pathlib import Path

from rich.console import Console

from benchmarks.throughput.goals import GOALS
from benchmarks.throughput.process import ROOT, Measurement, Record
from benchmarks.throughput.results import Results
from benchmarks.throughput.scale import Scale, scale_of
from benchmarks.throughput.sections import SECTIONS
from benchmarks.throughput.table import print_results

_SECTIONS_WITH_FILES = {"training", "roofline", "evaluation", "decoding", "index", "digits"}


def main() -> None:
    """Measures the sections, prints tables and writes the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round, smaller sizes")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--out", type=Path, help="default: benchmarks/results/throughput/NAME.json")
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "throughput")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    start = time.perf_counter()
    device = _device() if options.device == "auto" else options.device
    scale = scale_of(device, options.data.resolve(), options.quick)
    _make_trees(scale, options.only)
    results = Results(Measurement("measured.machine", {"device": device}).take())
    path = options.out or _path(results.machine["name"], options.quick)
    for name in options.only:
        results.sections[name] = SECTIONS[name].take(scale, _tell)
        # Other load lowers a measured peak, so it is measured again after each section.
        results.add_peaks(Measurement("measured.machine", {"device": device}).take()["peak_gflops"])
        _write(path, results, time.perf_counter() - start)  # a later section may fail
    print_results(results, console)
    console.print(f"{(time.perf_counter() - start) / 60:.0f} minutes; written to {path}")


def _device() -> str:
    return str(Measurement("measured.device").take()["device"])


def _make_trees(scale: Scale, sections: list[str]) -> None:
    """Writes the image trees that the sections need, unless they exist."""
    trees = {scale.tree: scale.counts} if _SECTIONS_WITH_FILES & set(sections) else {}
    if "frozen" in sections:
        trees[scale.small_tree] = scale.few
    for tree, counts in trees.items():
        _tell(f"images in {tree}")
        Measurement("images", {"root": tree, **vars(counts)}).take()


def _tell(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _path(name: str, quick: bool) -> Path:
    stem = re.sub(r"\W+", "-", name).strip("-").lower() + "-quick" * quick
    return ROOT / "benchmarks" / "results" / "throughput" / f"{stem}.json"


def _write(path: Path, results: Results, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_as_json(results, seconds), indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _as_json(results: Results, seconds: float) -> Record:
    goals = [
        {
            "goal": goal.name,
            "measured": goal.value.of(results),
            "sign": goal.sign,
            "target": goal.target,
            "reached": goal.reached(results),
        }
        for goal in GOALS
        if results.machine["device"] in goal.devices
    ]
    return {
        "command": ["python", "-m", "benchmarks.throughput", *sys.argv[1:]],
        "minutes": seconds / 60,
        "machine": results.machine,
        "goals": goals,
        "sections": results.sections,
    }


if __name__ == "__main__":
    main()
