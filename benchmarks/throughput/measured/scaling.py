"""Whole runs over long lists of small images."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.throughput.measured.commands import run_once

_CLASSES = 10
_FILES = 100  # different images of each split, which the rows repeat


def run(images: int, device: str) -> dict[str, Any]:
    """Returns seconds per image of training and evaluation, and the run's peak memory.

    Args:
        images: Number of training images; the test split has a tenth of them.
        device: Device of the run.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "dataset": "csv",
            "dataset.path": str(_write(Path(folder), images)),
            "backbone": "clip_tiny",
            "init": "random",
            "train.epochs": "1",
        }
        # Without the decode cache, whose mapped memory has its own limit.
        options = ("--device", device, "--cache", "0")
        result = run_once(settings, *options, "--out", f"{folder}/runs")
    seconds = result["training"]["seconds"] + result["evaluation"]["seconds"]
    return {
        "images": images,
        "seconds": seconds,
        "microseconds_per_image": seconds / images * 1e6,
        "peak_memory_mb": result["peak_memory_mb"],
    }


def _write(folder: Path, images: int) -> Path:
    """Writes small images and a list that repeats them."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    names = {
        split: [f"{split}/{number}.jpg" for number in range(_FILES)] for split in ("train", "test")
    }
    for name in (name for each in names.values() for name in each):
        (folder / name).parent.mkdir(exist_ok=True)
        pixels = random.integers(0, 256, (36, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name, quality=90)
    rows = [
        f"{names[split][row % _FILES]},{row % _CLASSES},{split}\n"
        for split, count in (("train", images), ("test", images // 10))
        for row in range(count)
    ]
    path = folder / "list.csv"
    path.write_text("path,label,split\n" + "".join(rows))
    return path
