from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ltbench.data.loading.resample import resample

SIZES = [(40, 48, 32), (8, 8, 32), (32, 32, 32), (375, 500, 224), (5, 90, 32)]


def pillow(image: np.ndarray, box: np.ndarray, flip: bool, resolution: int) -> np.ndarray:
    top, left, height, width = box
    side = (resolution, resolution)
    area = (left, top, left + width, top + height)
    cut = Image.fromarray(image).resize(side, Image.Resampling.BICUBIC, box=area)
    return np.asarray(cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else cut)


@pytest.mark.parametrize(("height", "width", "resolution"), SIZES)
def test_equal_to_pillow(height: int, width: int, resolution: int) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (3, height, width, 3), dtype=np.uint8)
    corner = random.random((3, 2, 2)) * [height / 2, width / 2]
    extent = (0.1 + 0.9 * random.random((3, 2, 2))) * ([height, width] - corner)
    boxes = np.concatenate([corner, np.maximum(extent, 1)], axis=-1)
    flips = np.array([[True, False]] * 3)
    ours = resample(
        torch.from_numpy(images).permute(0, 3, 1, 2),
        torch.from_numpy(boxes),
        torch.from_numpy(flips),
        resolution,
    )
    for image in range(3):
        for view in range(2):
            theirs = pillow(images[image], boxes[image, view], flips[image, view], resolution)
            gap = np.abs(ours[image, view].permute(1, 2, 0).numpy().astype(int) - theirs)
            assert gap.max() <= 1
            assert (gap > 0).mean() < 0.002
