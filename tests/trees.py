"""Miniature data sets on disk, laid out like the real ones, with lists in the real format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("n01440764", "n01443537", "n01484850")
SCENES = ("airfield", "airplane_cabin", "airport_terminal")
OWN = ("--set", "dataset.lists=own")

Rows = list[tuple[str, int]]
"""Path and label of each image."""


@dataclass(frozen=True)
class Download:
    """A download and the lists of what is used of it."""

    images: Path
    lists: Path


def ilsvrc(
    root: Path,
    classes: Sequence[str] = CLASSES,
    train: Sequence[int] = (12, 6, 3),
    val: int = 2,
    test: int = 4,
    flat: bool = False,
) -> Download:
    """Writes a tree of ILSVRC 2012; `flat`: its val folder as it is in the archive."""
    rows: dict[str, Rows] = {"train": [], "val": [], "test": []}
    number = 0
    for label, (name, count) in enumerate(zip(classes, train, strict=True)):
        files = [f"train/{name}/{name}_{index}.JPEG" for index in range(count + val)]
        rows["train"] += [(file, label) for file in files[:count]]
        rows["val"] += [(file, label) for file in files[count:]]
        for _ in range(test):
            number += 1
            rows["test"].append((f"val/{name}/ILSVRC2012_val_{number:08}.JPEG", label))
    images = root / "ILSVRC2012"
    _write_images(images, rows, (33, 80))
    if flat:
        for path, _ in rows["test"]:
            (images / path).rename(images / "val" / Path(path).name)
        for name in classes:
            (images / "val" / name).rmdir()
    return Download(images, _write_lists(root / "lists", rows))


def places365(
    root: Path,
    classes: Sequence[str] = SCENES,
    train: Sequence[int] = (7, 4, 2),
    val: int = 1,
    test: int = 2,
    side: int = 256,
) -> Download:
    """Writes a tree of Places365-Standard, easy directory structure."""
    rows: dict[str, Rows] = {"train": [], "val": [], "test": []}
    number = 0
    for label, (name, count) in enumerate(zip(classes, train, strict=True)):
        files = [f"train/{name}/{index + 1:08}.jpg" for index in range(count + val)]
        rows["train"] += [(file, label) for file in files[:count]]
        rows["val"] += [(file, label) for file in files[count:]]
        for _ in range(test):
            number += 1
            rows["test"].append((f"val/{name}/Places365_val_{number:08}.jpg", label))
    images = root / "places365_standard"
    _write_images(images, rows, (side, side + 1))
    return Download(images, _write_lists(root / "lists", rows))


def imagenet_lt(root: Path) -> Path:
    """Writes `imagenet_lt` below a data root: images and lists in one folder."""
    download = ilsvrc(root / "download")
    folder = root / "imagenet_lt"
    download.images.rename(folder)
    for path in download.lists.iterdir():
        path.rename(folder / path.name)
    return folder


def class_folders(root: Path, counts: Mapping[str, Mapping[str, int]]) -> Path:
    """Writes SPLIT/CLASS/NUMBER.jpg for the number of images of each split and class."""
    rows = {
        split: [
            (f"{split}/{name}/{number}.jpg", label)
            for label, (name, count) in enumerate(classes.items())
            for number in range(count)
        ]
        for split, classes in counts.items()
    }
    _write_images(root, rows, (33, 80))
    return root


def food101(root: Path) -> Path:
    """Writes `food-101`: the lists of 101 dishes, and a few of the images."""
    folder = root / "food-101"
    dishes = [f"dish_{number:03}" for number in range(101)]
    rows: dict[str, Rows] = {}
    (folder / "meta").mkdir(parents=True)
    (folder / "meta" / "classes.txt").write_text("".join(f"{name}\n" for name in dishes))
    for split, numbers in (("train", range(750)), ("test", range(750, 1000))):
        lines = [f"{name}/{number}" for name in dishes for number in numbers]
        (folder / "meta" / f"{split}.txt").write_text("\n".join(lines) + "\n")
        rows[split] = [(f"images/{line}.jpg", 0) for line in lines[:3]]
    _write_images(folder, rows, (33, 80))
    return folder


def picture(random: np.random.Generator, size: tuple[int, int], label: int) -> Image.Image:
    """Draws noise that is dark in one colour, which tells the class."""
    pixels = random.integers(0, 256, (*size, 3), dtype=np.uint8)
    pixels[..., label % 3] //= 3
    return Image.fromarray(pixels)


def _write_images(root: Path, rows: Mapping[str, Rows], sides: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    for path, label in _all(rows):
        height, width = random.integers(*sides, 2).tolist()
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        picture(random, (height, width), label).save(root / path, "JPEG", quality=90)


def _write_lists(folder: Path, rows: Mapping[str, Rows]) -> Path:
    folder.mkdir(parents=True)
    for split, each in rows.items():
        lines = "".join(f"{path} {label}\n" for path, label in each)
        (folder / f"{split}.txt").write_text(lines)
    return folder


def _all(rows: Mapping[str, Rows]) -> Iterator[tuple[str, int]]:
    for each in rows.values():
        yield from each
