"""Miniature data sets on disk, laid out like the real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("n01440764", "n01443537", "n01484850")


def imagenet_lt(root: Path, train: tuple[int, ...] = (12, 6, 3), test: int = 4) -> Path:
    """Writes `imagenet_lt` below a data root: JPEGs of many sizes, lists with LF endings."""
    folder = root / "imagenet_lt"
    random = np.random.default_rng(0)
    for split, where, counts in (("train", "train", train), ("test", "val", (test,) * 3)):
        lines = []
        for label, (name, count) in enumerate(zip(CLASSES, counts, strict=True)):
            for number in range(count):
                path = f"{where}/{name}/{name}_{number}.JPEG"
                height, width = random.integers(33, 80, 2)
                pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
                pixels[..., label] //= 3
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(folder / path, quality=90)
                lines.append(f"{path} {label}\n")
        (folder / f"{split}.txt").write_text("".join(lines))
    return folder
