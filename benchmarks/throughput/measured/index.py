"""Data set built from a list of half a million images."""

from __future__ import annotations

import itertools
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.throughput import ours
from benchmarks.throughput.memory import peak_memory_mb
from benchmarks.throughput.settings import JPEGS

_LISTS = ("train", "val", "test")


def run(data: str, rows: int) -> dict[str, Any]:
    """Returns the seconds and the memory of building a run's data set from its lists.

    Args:
        data: Data root with a tree of `images`.
        rows: Number of rows of the training list, which repeats those of the tree.
    """
    cpu = torch.device("cpu")
    with tempfile.TemporaryDirectory() as folder:
        _repeat(Path(data) / "imagenet_lt", Path(folder) / "imagenet_lt", rows)
        ours.build_dataset(JPEGS, Path(data))  # leaves out imports and caches
        before = peak_memory_mb(cpu)
        start = time.perf_counter()
        images = ours.build_dataset(JPEGS, Path(folder))
        seconds = time.perf_counter() - start
    return {"images": images, "seconds": seconds, "memory_mb": peak_memory_mb(cpu) - before}


def _repeat(tree: Path, folder: Path, rows: int) -> None:
    """Writes lists like those of a tree, with `rows` rows in the training list."""
    folder.mkdir()
    for name in ("train", "val"):
        (folder / name).symlink_to((tree / name).resolve())
    for name in _LISTS:
        lines = (tree / f"{name}.txt").read_text().splitlines(keepends=True)
        if name == "train":
            lines = list(itertools.islice(itertools.cycle(lines), rows))
        (folder / f"{name}.txt").write_text("".join(lines))
