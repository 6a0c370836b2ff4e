"""Sizes of the measurements: those of a GPU, or small ones that prove the code on a CPU."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from benchmarks.throughput.images import Counts
from benchmarks.throughput.process import Measurement
from benchmarks.throughput.settings import JPEGS

_OPEN_CLIP = {"backbone": "open_clip", "backbone.tag": "none"}  # random weights


@dataclass(frozen=True)
class Plan:
    """Sizes of the measurements.

    Args:
        device: Device, "cuda" or "cpu".
        data: Data root of the photographs, which are made where they are missing.
        quick: Whether tiny sizes are measured, to prove the code.
    """

    device: str
    data: Path
    quick: bool

    @property
    def backbones(self) -> dict[str, dict[str, str]]:
        """Settings of each measured backbone, by its name in the rows."""
        if self.quick:
            return {"clip_tiny": {"backbone": "clip_tiny"}}
        return {
            "ViT-B/16": {**_OPEN_CLIP, "backbone.model": "ViT-B-16-quickgelu"},
            "ViT-L/14": {**_OPEN_CLIP, "backbone.model": "ViT-L-14-quickgelu"},
        }

    @property
    def settings(self) -> dict[str, str]:
        """Settings of a run on the photographs."""
        own = {"dataset": "imagenet_lt", "dataset.lists": "own", "init": "random"}
        return own | self.backbones["clip_tiny"] if self.quick else JPEGS

    @property
    def counts(self) -> Counts:
        """Size of the tree of photographs."""
        return Counts(4, 12, 2) if self.quick else Counts(1_000, 5_120, 4_096)

    @property
    def tree(self) -> str:
        """Data root of the tree."""
        return str(self.data / ("quick" if self.quick else "tree"))

    @property
    def batch_size(self) -> int:
        """Images per step."""
        return 4 if self.quick else 128

    @property
    def steps(self) -> dict[str, int]:
        """Number of steps before the timing, and of timed ones."""
        return {"warmup": 1, "steps": 1} if self.quick else {"warmup": 10, "steps": 30}

    @property
    def cores(self) -> int:
        """Number of cores, which is the number of loader workers of the peers."""
        return os.cpu_count() or 1

    def make_tree(self) -> None:
        """Writes the photographs unless they exist."""
        Measurement("images", {"root": self.tree, **vars(self.counts)}).take()
