"""Synthetic tree of photographs in the layout of ImageNet-LT."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_WIDTH, _HEIGHT = 500, 375  # the most frequent size in ImageNet
_DONE = "made.txt"

Row = tuple[str, int]
"""Path below the tree, and label."""


@dataclass(frozen=True)
class Counts:
    """Size of a tree.

    Args:
        classes: Number of classes K, at most ImageNet's 1,000.
        train: Number of training images, at least one per class; the first classes have more.
        test: Number of test images.
    """

    classes: int
    train: int
    test: int


def run(root: str, classes: int, train: int, test: int) -> dict[str, Any]:
    """Writes a tree, in a process of its own, because timm has the names of ImageNet's classes."""
    make(Path(root), Counts(classes, train, test))
    return {}


def make(root: Path, counts: Counts) -> Path:
    """Writes `imagenet_lt` below a data root unless it exists, and returns its folder."""
    folder = root / "imagenet_lt"
    done = folder / _DONE
    if done.exists() and done.read_text() == repr(counts):
        return folder
    rows = {
        "train": list(itertools.islice(_train(counts), counts.train)),
        "val": list(itertools.islice(_test(counts, "train", "val"), min(counts.classes, 8))),
        "test": list(itertools.islice(_test(counts, "val", "ILSVRC2012_val"), counts.test)),
    }
    paths = [folder / path for each in rows.values() for path, _ in each]
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(_write, itertools.count(), paths, chunksize=16):
            pass
    for split, each in rows.items():
        lines = "".join(f"{path} {label}\n" for path, label in each)
        (folder / f"{split}.txt").write_text(lines)
    done.write_text(repr(counts))
    return folder


def _write(number: int, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(number).save(path, "JPEG", quality=90)


def picture(number: int) -> Image.Image:
    """Returns an image of smooth colours, finer detail and noise, as large as a photograph."""
    random = np.random.default_rng(number)
    pixels = np.full((_HEIGHT, _WIDTH, 3), 128.0)
    for cells, strength in ((3, 60.0), (12, 30.0), (50, 15.0)):
        coarse = random.normal(128, strength, (cells * 3 // 4 + 1, cells, 3)).clip(0, 255)
        field = Image.fromarray(coarse.astype(np.uint8))
        large = field.resize((_WIDTH, _HEIGHT), Image.Resampling.BICUBIC)
        pixels += np.asarray(large, np.float64) - 128
    pixels += random.normal(0, 10, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def read_rows(folder: Path, split: str) -> list[Row]:
    """Returns the rows of a split's list, read as in a research repository."""
    lines = (folder / f"{split}.txt").read_text().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines)
    return [(path, int(label)) for path, label in pairs]


def names(classes: int) -> list[str]:
    """Returns the WordNet ids of the first classes of ImageNet."""
    from timm.data.imagenet_info import ImageNetInfo

    return list(ImageNetInfo().label_names())[:classes]


def _train(counts: Counts) -> Iterator[Row]:
    """Yields a row for each class, then further rows for fewer and fewer classes."""
    known = names(counts.classes)
    for number in itertools.count():
        tail = max(1, counts.classes // 2**number)
        for label in range(tail):
            yield f"train/{known[label]}/{known[label]}_{number}.JPEG", label


def _test(counts: Counts, top: str, stem: str) -> Iterator[Row]:
    for number in itertools.count():
        label = number % counts.classes
        yield f"{top}/{names(counts.classes)[label]}/{stem}_{number:08}.JPEG", label
