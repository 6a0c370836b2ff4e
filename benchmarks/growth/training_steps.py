"""Some steps of lift_plus in an epoch of a long list, with the engine's own loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from benchmarks.throughput import ours
from benchmarks.throughput.meter import Meter

_WARMUP = 2


def run(path: str, root: str, steps: int) -> dict[str, Any]:
    """Returns the time of an image in the steps of a training with batches of 128.

    Views are read from the files in this process, without a cache.

    Args:
        path: List of the data set `csv`.
        root: Folder of its files.
        steps: Number of timed steps; a short list is gone through several times.
    """
    settings = {
        "dataset": "csv",
        "dataset.path": path,
        "dataset.root": root,
        "backbone": "clip_tiny",
        "train.batch_size": "128",
    }
    prepared = ours.build(settings, Path("unused"), "cpu", workers=0)
    meter = Meter(torch.device("cpu"), _WARMUP, steps, shares=False)
    size = min(128, len(prepared.parts.dataset.splits["train"]))
    loader = ours.MeteredLoader(ours.train_loader(prepared), meter)
    ours.train_epoch(prepared, loader, size)
    return {"image_ms": round(1000 / meter.report(size)["images_per_second"], 4)}
