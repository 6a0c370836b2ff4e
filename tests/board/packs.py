"""Packs of real runs, which are in the repository, and of runs on a data set that is not here."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ltbench.config.resolve import resolve
from ltbench.config.runspec import RunSpec
from ltbench.registry.registry import Registry
from ltbench.storage.packing import pack
from ltbench.storage.result_schema import RunResult
from ltbench.storage.results import find_runs
from tests.runs import store

ROOT = Path(__file__).parents[2]
REAL = ROOT / "benchmarks" / "results" / "digits" / "runs" / "digits_lt" / "clip_tiny"


def real_runs(method: str, seeds: Sequence[int]) -> list[RunResult]:
    """Returns runs of a method on the embedded digits."""
    return [run for run in find_runs([REAL / method]).runs if run.seed in seeds]


def real_pack(archive: Path, method: str, seeds: Sequence[int]) -> Path:
    """Packs runs of a method on the embedded digits."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    pack(real_runs(method, seeds), archive)
    return archive


def changed_pack(
    archive: Path, method: str, seed: int, change: Callable[[Path], Any], *, work: Path
) -> Path:
    """Packs a run whose directory was changed in a way that `ltbench runs pack` accepts."""
    (run,) = real_runs(method, [seed])
    copy = work / run.path.relative_to(REAL.parents[1])
    shutil.copytree(run.path, copy)
    change(copy)
    archive.parent.mkdir(parents=True, exist_ok=True)
    pack(find_runs([copy]).runs, archive)
    return archive


def absent_spec(registry: Registry, settings: Mapping[str, Any]) -> RunSpec:
    """Returns a run on a data set whose files are not here."""
    return resolve(registry, {"dataset": "places_lt", **settings}, Path(), identify=False).spec


def absent_pack(
    archive: Path,
    registry: Registry,
    settings: Sequence[Mapping[str, Any]],
    work: Path,
    **more: Any,
) -> Path:
    """Packs runs, which were never run, on a data set whose files are not here."""
    for each in settings:
        store(work, absent_spec(registry, each), **more)
    archive.parent.mkdir(parents=True, exist_ok=True)
    pack(find_runs([work]).runs, archive)
    return archive
