"""Measures how time and memory grow with the number of images and of classes.

    python -m benchmarks.growth classes                # minutes on two idle cores
    python -m benchmarks.growth images                 # 10^6 images: 10 GB of disk
    python -m benchmarks.growth images --sizes 1000 10000
    python -m benchmarks.growth classes --quick        # one tiny size
    python -m benchmarks.growth --figures              # draws the stored measurements

Each command is a process of its own. Results are written after each one, and the same command
continues: finished sizes are not measured again, unless `--again` is given.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.growth import classes, images
from benchmarks.growth.figures import FIGURES, RESULTS, show, table
from benchmarks.growth.files import Listed, write_files
from benchmarks.growth.step import Case
from benchmarks.process import ROOT, measure
from ltbench.storage.files import write_json

PARTS: dict[str, ModuleType] = {"classes": classes, "images": images}

Row = dict[str, Any]


def rows_of(path: Path) -> list[Row]:
    """Returns the rows of a file of results."""
    return json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []


def measure_size(part: ModuleType, size: int, folder: Path, path: Path) -> None:
    """Measures the commands of a size that the file of results does not have.

    Args:
        part: `images` or `classes`.
        size: Number of images or classes.
        folder: Folder of all files.
        path: File of the results.
    """
    rows, commands = rows_of(path), [step.command for step in part.STEPS]
    done = {row["command"] for row in rows if row["size"] == size}
    if done.issuperset(commands):
        return
    name = path.stem
    case = Case(
        size, folder / f"{name}-{size}", Listed(folder / f"{name}-{size}.csv", folder / "files")
    )
    if not case.folder.exists():  # later commands need what the earlier ones wrote
        rows, done = [row for row in rows if row["size"] != size], set()
    case.folder.mkdir(parents=True, exist_ok=True)
    write_files(case.listed.root, part.files_of(size))
    if not case.listed.path.exists():
        part.write(case.listed, size)
    # The digests of the files are kept there, so that the first command of a size has none.
    environment = {"LTBENCH_CACHE": str(case.folder / "user")}
    for step in part.STEPS:
        if step.command in done:
            continue
        process = measure(step.arguments(case), environment)
        rows.append({"size": size, "command": step.command, **process.figures})
        rows[-1] |= step.figures(process, case)
        print(rows[-1], flush=True)
        write_json(path, {"machine": machine(), "rows": rows})


def machine() -> dict[str, str]:
    """Returns the versions and the processor that the measurements depend on."""
    return {
        "threads": os.environ.get("OMP_NUM_THREADS", str(os.cpu_count())),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "torch": version("torch"),
    }


def main() -> None:
    """Measures what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.growth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="images|classes")
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of images or of classes")
    parser.add_argument("--quick", action="store_true", help="one tiny size")
    parser.add_argument("--again", action="store_true", help="measure finished sizes, too")
    parser.add_argument("--figures", action="store_true", help="only draw, and write the tables")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "growth")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for name in () if given.figures else given.parts or PARTS:
        part, path = PARTS[name], given.out / f"{name}.json"
        for size in given.sizes or (part.QUICK if given.quick else part.SIZES):
            if given.again:
                shutil.rmtree(given.folder / f"{name}-{size}", ignore_errors=True)
                rest = [row for row in rows_of(path) if row["size"] != size]
                write_json(path, {"machine": machine(), "rows": rest})
            measure_size(part, size, given.folder.absolute(), path)
    show(given.out)
    for name in FIGURES:
        if (given.out / f"{name}.json").exists():
            print(f"\n{table(name, given.out)}")


if __name__ == "__main__":
    main()
