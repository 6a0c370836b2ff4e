"""The stored runs of the repository: grids, executed again, without their weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.remeasure.command import ROOT, ltbench
from benchmarks.remeasure.marked import fill
from benchmarks.remeasure.transcripts import markdown_table

RESULTS = ROOT / "benchmarks" / "results"
BOARD = ROOT / "benchmarks" / "board" / "ltbench"
_KEPT = (".json", ".jsonl", ".parquet")


@dataclass(frozen=True)
class StoredGrid:
    """A grid whose runs are in the repository.

    Args:
        grid: Name of the grid, or its file below the results.
        folder: Folder below the results, with the runs in `runs` and the page README.md.
        more: Further runs: arguments of `ltbench run`.
        diagnosed: Folders of runs whose features are diagnosed, below that of the runs.
    """

    grid: str
    folder: str
    more: tuple[tuple[str, ...], ...] = ()
    diagnosed: tuple[str, ...] = ()

    @property
    def runs(self) -> str:
        """Folder of the runs, from the root of the repository and from that of a measurement."""
        return f"benchmarks/results/{self.folder}/runs"


DIGITS = StoredGrid(
    "digits/methods",
    "digits",
    # A grid runs a method that no seed changes once. Its repeats are stored runs as well.
    tuple(
        ("--method", "zero_shot", "--precision", "fp32", "--seed", str(seed))
        for seed in range(1, 5)
    ),
)
GLYPHS = StoredGrid(
    "glyphs/methods.toml",
    "glyphs",
    diagnosed=tuple(
        f"glyphs_lt/clip_tiny/{method}"
        for method in ("zero_shot", "classifier_only", "lift_plus", "full")
    ),
)


def measure(each: StoredGrid, work: Path, jobs: int) -> None:
    """Executes a grid in a folder laid out as the repository, and stores its runs and its table.

    The run directories are named in the results, so that both folders have the same layout.

    Args:
        each: Grid.
        work: Root of the measurement, in which finished runs are kept.
        jobs: Number of runs at the same time.
    """
    file = RESULTS / each.grid
    name = str(file) if file.is_file() else each.grid
    ltbench("grid", "run", name, "--out", each.runs, "--jobs", str(jobs), folder=work)
    for arguments in each.more:
        ltbench("run", *arguments, "--out", each.runs, folder=work)
    if each.diagnosed:
        cells = [f"{each.runs}/{folder}" for folder in each.diagnosed]
        ltbench(*("diagnose", *cells, "--against", "pretrained", "--device", "cpu"), folder=work)
    replace_runs(work / each.runs, ROOT / each.runs)
    board = ltbench("leaderboard", each.runs, "--markdown", folder=ROOT)
    fill(RESULTS / each.folder / "README.md", {"leaderboard": markdown_table(board.splitlines())})


def replace_runs(measured: Path, stored: Path) -> None:
    """Replaces stored runs by measured ones, of which weights and logs are left out."""
    shutil.rmtree(stored)
    for path in _files(measured):
        target = stored / path.relative_to(measured)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def pack_board() -> None:
    """Packs the runs of the digits for the public leaderboard, those without training once."""
    pack = BOARD / "digits.zip"
    pack.unlink()
    runs = []
    for path in sorted((ROOT / DIGITS.runs).rglob("result.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        if result["training"]["epochs"] or result["run"]["seed"] == 0:
            runs.append(str(path.parent.relative_to(ROOT)))
    ltbench("runs", "pack", *runs, str(pack.relative_to(ROOT)), folder=ROOT)


def _files(measured: Path) -> Iterator[Path]:
    """Yields the files of finished runs that are stored."""
    for result in sorted(measured.rglob("result.json")):
        yield from (path for path in sorted(result.parent.iterdir()) if path.suffix in _KEPT)
