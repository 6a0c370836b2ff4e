"""Image files read as in a research repository: Pillow and torchvision, image by image."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import transforms
from torchvision.transforms import functional as F

from benchmarks.throughput.images import read_rows

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
_BICUBIC = transforms.InterpolationMode.BICUBIC

Transform = Any
"""Function from a Pillow image to the loader's input."""


class ImageList(Dataset[tuple[Any, int]]):
    """Images of a split list.

    Args:
        folder: Folder of the list and the images.
        split: Name of the list.
        transform: Function applied to each image.
    """

    def __init__(self, folder: Path, split: str, transform: Transform) -> None:
        self.folder = folder
        self.rows = read_rows(folder, split)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        path, label = self.rows[index]
        with (self.folder / path).open("rb") as file:
            image = Image.open(file).convert("RGB")
        return self.transform(image), label


class RandomSquare:
    """A square of random area and position, resized: minimalist augmentation as a transform."""

    def __init__(self, side: int, scale: float = 0.08) -> None:
        self.side = side
        self.scale = scale

    def __call__(self, image: Image.Image) -> Image.Image:
        """Returns a view of an image."""
        width, height = image.size
        area = random.uniform(self.scale, 1.0) * width * height
        side = min(round(math.sqrt(area)), width, height)
        top, left = random.randint(0, height - side), random.randint(0, width - side)
        box = (top, left, side, side)
        cut: Image.Image = F.resized_crop(image, *box, [self.side, self.side], _BICUBIC)
        return cut


def training_transform(side: int) -> Transform:
    """Returns the transform: crop, resize, tensor, normalisation."""
    steps = [RandomSquare(side), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    return transforms.Compose(steps)


def center_transform(side: int) -> Transform:
    """Returns the centre of the image resized to the side."""
    return transforms.Compose(
        [
            transforms.Resize(side, _BICUBIC),
            transforms.CenterCrop(side),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )


def five_crops_transform(side: int, expand: int = 24) -> Transform:
    """Returns four corners and the centre of the image resized to a larger side, stacked."""
    finish = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])

    def stack(crops: tuple[Image.Image, ...]) -> Tensor:
        return torch.stack([finish(crop) for crop in crops])

    return transforms.Compose(
        [transforms.Resize(side + expand, _BICUBIC), transforms.FiveCrop(side), stack]
    )
