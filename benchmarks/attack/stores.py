"""A small store of real runs, which the attacks copy and damage."""

from __future__ import annotations

import shutil
from pathlib import Path

from filelock import FileLock

from benchmarks.attack.command import graceful, ltbench

BUILD = Path(__file__).parent.parent.parent / "build" / "attack"
METHODS = ("classifier_only", "lift_plus")
SEEDS = 3
_STORE = BUILD / "store"


def make_store() -> None:
    """Makes the store anew: three seeds of two methods on `digits_lt`, one epoch each."""
    shutil.rmtree(_STORE, ignore_errors=True)
    _made_store()


def finished_store(folder: Path, runs: int = 3) -> Path:
    """Copies finished runs, and returns the folder of their run directories.

    Args:
        folder: Folder in which the folder is made.
        runs: Number of runs, at most 6: first the seeds of one method.
    """
    store = _made_store()
    to = folder / "runs"
    found = sorted(path.parent for path in store.rglob("result.json"))
    for path in found[:runs]:
        shutil.copytree(path, to / path.relative_to(store))
    return to


def _made_store() -> Path:
    """Returns the store, which the first caller makes."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with FileLock(BUILD / "store.lock"):
        if not _STORE.exists():
            made = _STORE.with_name("store.part")
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            for method in METHODS:
                for seed in range(SEEDS):
                    choice = ("--method", method, "--seed", str(seed), "--epochs", "1")
                    graceful(
                        ltbench("run", *choice, "--out", ".", cwd=made, seconds=300), codes=(0,)
                    )
            made.rename(_STORE)
    return _STORE
