"""Runs whose folder is deleted, and whose disk is full."""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.attack.attack import Attack, Impossible
from benchmarks.attack.command import ltbench
from benchmarks.attack.outcome import graceful

RUN = ("run", "--method", "classifier_only", "--seed", "5")
SECONDS = 180


def deleted_run(rng: random.Random, folder: Path) -> None:
    """Deletes the folder of a run, or one above it, a moment after it appeared."""
    above = rng.choice(("runs/*/*/*/*", "runs/*/*/*", "runs/*", "runs"))
    wait = rng.choice((0.0, 0.05, 0.2, 0.5, 1.0, 2.0))
    ended = threading.Event()
    deleted: list[float] = []

    def delete() -> None:
        while not ended.wait(0.005):
            if list(folder.glob("runs/*/*/*/*/spec.json")):
                ended.wait(wait)
                for path in folder.glob(above):
                    shutil.rmtree(path, ignore_errors=True)
                deleted.append(time.monotonic())
                return

    thread = threading.Thread(target=delete)
    thread.start()
    try:
        outcome = ltbench(*RUN, "--epochs", "6", cwd=folder, seconds=SECONDS)
    finally:
        ended.set()
        thread.join()
    graceful(outcome, codes=(0, 1))
    if outcome.code and "deleted or moved" not in outcome.err:
        raise outcome.finding("the error says that the folder was deleted")
    graceful(ltbench(*RUN, "--epochs", "1", cwd=folder, seconds=SECONDS), codes=(0,))


def small_files(rng: random.Random, folder: Path) -> None:
    """Lets no file grow beyond a size; the first cause is shown, and the run can be repeated."""
    limit = rng.choice((6_000, 20_000, 60_000, 200_000))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        outcome = ltbench(*RUN, "--epochs", "2", cwd=folder, seconds=SECONDS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    graceful(outcome, codes=(0, 1))
    if outcome.code and "File too large" not in outcome.err:
        raise outcome.finding("the error says that a file was too large")
    again = (*RUN, "--epochs", "2", "--overwrite", "failed")
    graceful(ltbench(*again, cwd=folder, seconds=SECONDS), codes=(0,))


@contextmanager
def _small_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """Mounts a small disk on a folder.

    Raises:
        Impossible: This user may not mount one.
    """
    mount = ("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder))
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        raise Impossible("only root may mount a small disk")
    try:
        yield
    finally:
        subprocess.run(("umount", "-l", str(folder)), check=True)


def full_disk(rng: random.Random, folder: Path) -> None:
    """Stores a run on a disk that is too small; the error names the disk, not its record."""
    runs = folder / "runs"
    runs.mkdir()
    with _small_disk(runs, rng.choice((4, 8, 16, 32, 64, 128))):
        cache = ("--cache", rng.choice(("0", "4")))
        outcome = ltbench(*RUN, "--epochs", "2", *cache, cwd=folder, seconds=SECONDS)
        graceful(outcome, codes=(0, 1))
        if outcome.code and "No space left" not in outcome.err:
            raise outcome.finding("the error says that the disk is full")
        for path in runs.rglob(".*.part"):
            raise outcome.finding(f"no temporary file is left: {path}")
        status = ltbench("leaderboard", "runs", cwd=folder, seconds=SECONDS)
        graceful(status, codes=(0, 4))


ATTACKS = (
    Attack("deleted_run", "The folder of a run is deleted while it trains", deleted_run),
    Attack("small_files", "Files cannot grow: the first cause is shown", small_files),
    Attack("full_disk", "The disk is full: the first cause is shown", full_disk),
)
