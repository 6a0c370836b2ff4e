"""Measurements of what a GPU changes, in parts of at most nine minutes.

    python -m benchmarks.gpu                        # every part that is not complete, one by one
    python -m benchmarks.gpu training-b16           # one part
    python -m benchmarks.gpu files --out files.json
    python -m benchmarks.gpu --list
    python -m benchmarks.gpu --device cpu --quick   # tiny sizes, to prove the code
    python -m benchmarks.gpu --pack FOLDER          # wheels for a machine without a network

The file of a part is written after each row. The same command continues it. No part needs a
network: weights are random, and photographs are made.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from rich.console import Console

from benchmarks.gpu.part import Part
from benchmarks.gpu.parts import PARTS
from benchmarks.gpu.plan import Plan
from benchmarks.gpu.results import PartResults, machine_of
from benchmarks.gpu.table import print_part
from benchmarks.gpu.wheels import pack
from benchmarks.throughput.process import ROOT, Measurement
from ltbench.errors import LTBenchError

_RESULTS = ROOT / "benchmarks" / "results" / "gpu"
_ON_A_CPU = (
    "python -m benchmarks.throughput measures a CPU, and python -m benchmarks.gpu --device cpu "
    "--quick proves that these parts work"
)


def main() -> None:
    """Measures parts, prints their tables and writes their results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("part", nargs="?", choices=PARTS, help="default: all")
    parser.add_argument("--out", type=Path, help="file of the part, or folder of all parts")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to prove the code")
    parser.add_argument("--minutes", type=float, default=9.0, help="longest time of a part")
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "gpu")
    parser.add_argument("--list", action="store_true", help="list the parts")
    parser.add_argument("--pack", type=Path, metavar="FOLDER", help="download wheels to carry")
    parser.add_argument("--python", default="3.12", help="Python of the other machine, for --pack")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the measurement, too
    try:
        _execute(options)
    except KeyboardInterrupt:
        print("interrupted; the same command continues", file=sys.stderr)
        sys.exit(130)


def _execute(options: argparse.Namespace) -> None:
    if options.list:
        for part in PARTS.values():
            print(f"{part.name:14} {part.summary}")
        return
    if options.pack:
        pack(options.pack, options.python)
        return
    device = options.device
    if device != "cpu":
        found = str(Measurement("measured.device").take()["device"])
        if found == "cpu" and not (device == "auto" and options.quick):
            sys.exit(f"no GPU here: {_ON_A_CPU}")
        device = found
    elif not options.quick:
        sys.exit(f"--device cpu without --quick: {_ON_A_CPU}")
    plan = Plan(device, options.data.resolve(), options.quick)
    folder = _RESULTS if options.out is None else options.out
    if plan.quick and options.out is None:
        folder = plan.data / "quick-results"
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    missing: list[str] = []
    for part in [PARTS[options.part]] if options.part else PARTS.values():
        own = options.part and options.out is not None
        path = options.out if own else folder / f"{part.name}.json"
        missing += _measure(part, plan, path, options.minutes, console)
    if missing:
        sys.exit(f"not measured: {', '.join(missing)}; the same command continues")


def _measure(part: Part, plan: Plan, path: Path, minutes: float, console: Console) -> list[str]:
    """Measures a part and prints its table; returns the rows that are missing."""
    start = time.monotonic()
    until = start + 60 * minutes
    results = PartResults.of(part, machine_of(plan.device), path, quick=plan.quick)

    try:
        results.write(path)  # not after minutes that are lost then
    except (LTBenchError, OSError) as error:
        sys.exit(f"{path} cannot be written: {error}; give another --out")

    def report(row: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {part.name}: {row}", file=sys.stderr, flush=True)

    if part.needs_files:
        report(f"photographs in {plan.tree}")
        try:
            plan.make_tree()
        except RuntimeError as error:
            sys.exit(f"photographs in {plan.tree}: {str(error).strip().splitlines()[-1]}")
    missing = results.measure(plan, path, until, report)
    print_part(results, console)
    console.print(f"{(time.monotonic() - start) / 60:.1f} minutes; written to {path}")
    for row, message in results.failed.items():
        console.print(f"failed: {row}: {message.strip().splitlines()[-1]}", markup=False)
    return [f"{part.name}: {row}" for row in missing]


if __name__ == "__main__":
    main()
