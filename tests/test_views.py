from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional as reference

from ltbench.data.loading.resample import resample
from ltbench.views import Views, center_square, crops_of_resized

SIZES = [(375, 500), (500, 375), (256, 256), (301, 257), (32, 41)]


def test_the_centred_square() -> None:
    assert center_square(np.array([[30, 40], [50, 21]])).tolist() == [
        [0, 5, 30, 30],
        [14.5, 0, 21, 21],
    ]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_crops_equal_those_of_torchvision(height: int, width: int) -> None:
    """Resize the whole image and crop, as the papers' code does, or cut the box out at once."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    short_side, resolution = 40, 32
    resized = reference.resize(
        Image.fromarray(pixels), short_side, reference.InterpolationMode.BICUBIC
    )
    theirs = [np.asarray(crop) for crop in reference.five_crop(resized, resolution)]
    boxes = crops_of_resized(np.array([[height, width]]), short_side, resolution, corners=True)
    ours = resample(
        torch.from_numpy(pixels).permute(2, 0, 1)[None], torch.from_numpy(boxes), None, resolution
    )[0]
    for mine, other in zip(ours, theirs, strict=True):
        gap = np.abs(mine.permute(1, 2, 0).numpy().astype(int) - other)
        assert gap.max() <= 1
        assert (gap > 0).mean() < 0.002


@pytest.mark.parametrize("flips", [None, np.array([True, False, True])])
def test_some_images_views(flips: np.ndarray | None) -> None:
    views = Views(np.arange(12.0).reshape(3, 4), flips, crop_first=True)
    last = views[1:]
    assert last.boxes.tolist() == [[4, 5, 6, 7], [8, 9, 10, 11]]
    assert (None if last.flips is None else last.flips.tolist()) == (
        None if flips is None else [False, True]
    )
    assert last.crop_first
