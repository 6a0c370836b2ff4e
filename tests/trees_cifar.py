"""CIFAR's binary files, made up: every image carries its number."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ltbench_plugins.datasets.parts.cifar_files import CifarFiles


def small(files: CifarFiles, train: int = 20, test: int = 5) -> CifarFiles:
    """Returns CIFAR with fewer images of each class."""
    return replace(files, images_per_class={"train": train, "test": test})


def labels(files: CifarFiles, seed: int = 123) -> dict[str, NDArray[np.int64]]:
    """Returns the classes of each split's images, shuffled."""
    return {
        split: np.random.RandomState(seed).permutation(np.repeat(np.arange(files.num_classes), n))
        for split, n in files.images_per_class.items()
    }


def write(
    folder: Path, files: CifarFiles, classes: dict[str, NDArray[np.int64]] | None = None
) -> Path:
    """Writes the files; the first pixel of image i is (i // 65536, i // 256 % 256, i % 256)."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, of_images in (classes or labels(files)).items():
        records = np.zeros((len(of_images), files.label_bytes + 3072), np.uint8)
        records[:, files.label_bytes - 1] = of_images
        if files.label_bytes > 1:
            records[:, 0] = of_images // 5  # the coarse label is not the class
        index = np.arange(len(of_images))
        for plane, value in enumerate((index >> 16, index >> 8 & 255, index & 255)):
            records[:, files.label_bytes + 1024 * plane] = value
        names = files.splits[split]
        for name, part in zip(names, np.split(records, len(names)), strict=True):
            part.tofile(folder / name)
    lines = [f"class_{label}\n" for label in range(files.num_classes)]
    (folder / files.names).write_text("".join(lines) + "\n")
    return folder


def indices(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Returns the numbers that the first pixels of images (N, 32, 32, 3) stand for."""
    return pixels[:, 0, 0].astype(np.int64) @ np.array([65536, 256, 1])


def pack(folder: Path, archive: Path, name: str) -> Path:
    """Packs a folder into a `.tar.gz`, under a name."""
    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
        packed.add(folder, name)
    return archive
