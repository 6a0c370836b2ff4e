"""Decoding of image files to views with one thread, by torchvision's transforms on Pillow."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torchvision import transforms

from benchmarks.throughput.images import read_rows
from benchmarks.throughput.measured.decoding import rate
from benchmarks.throughput.peers.files import MEAN, STD, ImageList, RandomSquare

_SIDE = 224


def run(data: str, images: int, finish: str) -> dict[str, Any]:
    """Returns images per second of each part.

    Args:
        data: Data root.
        images: Number of images.
        finish: "pixels": uint8, as ltbench's views are; "normalised": floats, as is usual.
    """
    torch.set_num_threads(1)
    folder = Path(data) / "imagenet_lt"
    square = RandomSquare(_SIDE)
    usual = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    steps = [square, *([transforms.PILToTensor()] if finish == "pixels" else usual)]
    listed = ImageList(folder, "train", transforms.Compose(steps))
    contents = [(folder / path).read_bytes() for path, _ in read_rows(folder, "train")[:images]]
    decoded = [_decoded(content) for content in contents[:64]]
    return {
        "decode": rate(lambda: [_decoded(content) for content in contents], images),
        "augment": rate(lambda: [square(image) for image in decoded], len(decoded)),
        "whole": rate(lambda: [listed[number] for number in range(images)], images),
    }


def _decoded(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")
