"""Decoding of image files to views with one thread: speed, and difference from Pillow's."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.throughput import ours
from benchmarks.throughput.images import read_rows
from benchmarks.throughput.settings import JPEGS

_COMPARED_IMAGES = 64


def run(data: str, images: int) -> dict[str, Any]:
    """Returns images per second of each part, and differences of the views in levels.

    Args:
        data: Data root.
        images: Number of images.
    """
    torch.set_num_threads(1)
    folder = Path(data) / "imagenet_lt"
    files = [folder / path for path, _ in read_rows(folder, "train")[:images]]
    contents = [file.read_bytes() for file in files]
    views = ours.FileViews(JPEGS, Path(data))
    decoded = [ours.decode_file(content) for content in contents[:_COMPARED_IMAGES]]
    seen = [views.views(number, pixels) for number, pixels in enumerate(decoded)]
    views.read(1)
    return {
        "decode": rate(lambda: [ours.decode_file(content) for content in contents], images),
        "augment": rate(lambda: [*map(views.crop, decoded, seen)], len(seen)),
        "whole": rate(lambda: views.read(images), images),
        **differences(views, files[:_COMPARED_IMAGES], [one.boxes.ravel() for one in seen]),
    }


def rate(work: Callable[[], object], images: int) -> float:
    """Returns images per second of the processor, which other load of the machine disturbs less."""
    start = time.thread_time()
    work()
    return images / (time.thread_time() - start)


def differences(
    views: ours.FileViews, files: list[Path], boxes: list[NDArray[np.float64]]
) -> dict[str, float]:
    """Returns the difference of the views from those that Pillow crops and then resizes."""
    made = torch.cat(views.read(len(files))).numpy().astype(np.int16)
    side = made.shape[-1]
    pillows = [_pillow(file, box, side) for file, box in zip(files, boxes, strict=True)]
    gap = np.abs(made - np.stack(pillows))
    return {
        "largest_difference": float(gap.max()),
        "over_1_level": float((gap > 1).mean()),
        "over_2_levels": float((gap > 2).mean()),
    }


def _pillow(file: Path, box: NDArray[np.float64], side: int) -> NDArray[np.int16]:
    top, left, height, width = box.tolist()
    image = Image.open(file).convert("RGB").crop((left, top, left + width, top + height))
    view = image.resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(view, np.int16).transpose(2, 0, 1)
