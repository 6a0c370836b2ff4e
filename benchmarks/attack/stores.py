"""A small store of real runs, which the attacks copy and damage."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from benchmarks.attack.command import ltbench, ltbench_process
from benchmarks.attack.outcome import graceful

BUILD = Path(__file__).parent.parent.parent / "build" / "attack"
METHODS = ("classifier_only", "lift_plus")
SEEDS = 3
UNDISTURBED = BUILD / "undisturbed.json"
_STORE = BUILD / "store"
_LONG_RUN = ("run", "--method", "lift_plus", "--epochs", "8", "--device", "cpu", "--out", "runs")


@dataclass(frozen=True)
class Undisturbed:
    """A run that nothing disturbed.

    Args:
        arguments: Its command.
        metrics: Its metrics, as stored.
    """

    arguments: tuple[str, ...]
    metrics: dict[str, Any]


def make_stores() -> None:
    """Makes the stores anew: three seeds of two methods on `digits_lt`, and a killed run."""
    shutil.rmtree(_STORE, ignore_errors=True)
    UNDISTURBED.unlink(missing_ok=True)
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


def unfinished_store(folder: Path) -> tuple[Path, Undisturbed]:
    """Copies a run that was killed, and returns its folder and the same run undisturbed.

    Args:
        folder: Folder in which the folder `runs` is made: the command is to be started in it.
    """
    store = _made_store().with_name("unfinished")
    shutil.copytree(store / "killed" / "runs", folder / "runs")
    metrics = json.loads(next((store / "whole").rglob("result.json")).read_text())["metrics"]
    return folder / "runs", Undisturbed(_LONG_RUN, metrics)


def _make_unfinished(store: Path) -> None:
    """Makes a run, and the same run killed after its first checkpoint."""
    shutil.rmtree(store, ignore_errors=True)
    for name in ("whole", "killed"):
        (store / name).mkdir(parents=True)
    graceful(ltbench(*_LONG_RUN, cwd=store / "whole", seconds=300), codes=(0,))
    process = ltbench_process(*_LONG_RUN, cwd=store / "killed")
    while process.poll() is None and not list((store / "killed").rglob("training.safetensors")):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    if list((store / "killed").rglob("result.json")):
        raise RuntimeError("the run ended before it was killed")


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
            _make_unfinished(_STORE.with_name("unfinished"))
            made.rename(_STORE)
    return _STORE
