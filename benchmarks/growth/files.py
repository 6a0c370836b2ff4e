"""Small JPEG files, each with other bytes, and lists of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 32  # pixels, the resolution of clip_tiny
_DIFFERENT = 500  # pictures that the files repeat
_IN_A_FOLDER = 1_000
_SEED = 0


def write_files(root: Path, images: int) -> None:
    """Writes the first files of a folder that are not there yet.

    The pictures repeat, but each file has its number as a comment: no two have the same digest.

    Args:
        root: Folder of the files.
        images: Number of files.
    """
    done = root / "files.txt"
    written = int(done.read_text()) if done.exists() else 0
    if written >= images:
        return
    pictures = [_picture(number) for number in range(_DIFFERENT)]
    for number in range(written, images):
        if number % _IN_A_FOLDER == 0 or number == written:
            (root / name_of(number)).parent.mkdir(parents=True, exist_ok=True)
        comment = b"\xff\xfe" + (10).to_bytes(2, "big") + number.to_bytes(8, "big")
        picture = pictures[number % _DIFFERENT]
        (root / name_of(number)).write_bytes(picture[:2] + comment + picture[2:])
    done.write_text(str(images))


@dataclass(frozen=True)
class Listed:
    """A list of files for the data set `csv`.

    Args:
        path: The list.
        root: Folder of the files.
    """

    path: Path
    root: Path


def write_list(listed: Listed, train: Sequence[int], test: Sequence[int]) -> None:
    """Writes a list of the first files, whose order does not depend on the labels.

    Args:
        listed: Place of the list.
        train: Class of each training image.
        test: Class of each test image; their files follow those of the training images.
    """
    listed.path.parent.mkdir(parents=True, exist_ok=True)
    with listed.path.open("w", encoding="utf-8") as lines:
        lines.write("path,label,split\n")
        for number, label in enumerate(train):
            lines.write(f"{name_of(number)},class {label:05},train\n")
        for number, label in enumerate(test, start=len(train)):
            lines.write(f"{name_of(number)},class {label:05},test\n")


def long_tailed(images: int, classes: int) -> list[int]:
    """Returns the class of each image, shuffled: 100 times as many of the first as of the last.

    Each class has at least one image.

    Args:
        images: Number of images.
        classes: Number of classes, at most that of the images.
    """
    weights = np.geomspace(100, 1, classes)
    spare = images - classes
    ends = np.floor(np.cumsum(weights) / weights.sum() * spare).astype(np.int64)
    counts = 1 + np.diff(ends, prepend=0)
    counts[0] += images - counts.sum()
    labels = np.repeat(np.arange(classes), counts)
    listed: list[int] = np.random.default_rng(_SEED).permutation(labels).tolist()
    return listed


def name_of(number: int) -> str:
    """Returns the path of a file in its folder."""
    return f"{number // _IN_A_FOLDER:04}/{number:07}.jpg"


def _picture(number: int) -> bytes:
    """Returns a JPEG file of smooth colours and noise."""
    random = np.random.default_rng((_SEED, number))
    coarse = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    pixels = np.asarray(smooth) + random.normal(0, 8, (SIDE, SIDE, 3))
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
