"""Sizes of the measurements: large for steady numbers, small for a quick look."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from benchmarks.throughput.images import Counts


@dataclass(frozen=True)
class Scale:
    """Sizes of the measurements.

    Args:
        device: Device, "cpu" or "cuda".
        data: Data root.
        counts: Size of the tree of photographs.
        few: Size of the smaller tree.
        rounds: Number of rounds in which compared rows alternate.
        batch_size: Number of images per step of ViT-B/16.
        warmup: Number of steps before the timing.
        steps: Number of timed steps.
        views: Number of image files that are decoded.
        rows: Number of rows of the long list.
        grid_runs: Number of runs of the grid.
        images: Sizes of the lists of small images.
        seeds: Number of seeds in the comparison of precisions.
    """

    device: str
    data: Path
    counts: Counts
    few: Counts
    rounds: int
    batch_size: int
    warmup: int
    steps: int
    views: int = 400
    rows: int = 437_513
    grid_runs: int = 30
    images: tuple[int, ...] = (1_000, 10_000, 100_000)
    seeds: int = 5

    @property
    def tree(self) -> str:
        """Data root with the tree."""
        return str(self.data / "tree")

    @property
    def small_tree(self) -> str:
        """Data root with the smaller tree."""
        return str(self.data / "small")

    @property
    def workers(self) -> int:
        """Number of loader workers of the peers: one per core, as PyTorch advises."""
        return os.cpu_count() or 1


def scale_of(device: str, data: Path, quick: bool) -> Scale:
    """Returns the sizes of the measurements on a device."""
    if device == "cuda":
        counts, batch, warmup, steps = Counts(1_000, 6_400, 1_000), 128, 10, 10 if quick else 30
    else:
        counts, batch, warmup, steps = Counts(1_000, 1_100, 32), 16, 2, 2
    few = Counts(100, 120 if quick else 480, 10)
    rounds = 1 if quick else 3
    scale = Scale(device, data, counts, few, rounds, batch, warmup, steps)
    if not quick:
        return scale
    return Scale(
        **{**vars(scale), "views": 100, "grid_runs": 8, "images": (1_000, 10_000), "seeds": 2}
    )
