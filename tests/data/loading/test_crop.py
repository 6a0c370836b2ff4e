from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional as reference

from ltbench.data.loading import crop as module
from ltbench.data.loading.crop import crop
from ltbench.data.loading.resample import resample
from ltbench.views import Views, center_square, crops_of_resized

NOISE = np.random.default_rng(0).integers(0, 256, (375, 500, 3), dtype=np.uint8)
STRIPES = np.where(NOISE > 127, 255, 0).astype(np.uint8)  # filters overshoot everywhere
BICUBIC = Image.Resampling.BICUBIC


def levels(ours: torch.Tensor, theirs: Any) -> tuple[int, float]:
    """How far the pixels are apart at most, and how many of them are apart by more than one."""
    gap = np.abs(ours.permute(1, 2, 0).numpy().astype(int) - np.asarray(theirs))
    return int(gap.max()), float((gap > 1).mean())


@pytest.mark.parametrize("pixels", [NOISE, STRIPES], ids=["noise", "stripes"])
@pytest.mark.parametrize("resolution", [16, 224])
@pytest.mark.parametrize(
    "box", [(0, 0, 375, 375), (20, 100, 331, 331), (7, 9, 100, 130), (3, 4, 1, 1), (5, 0, 10, 480)]
)
def test_what_is_cropped_first_equals_the_crop_resized_by_pillow(
    pixels: np.ndarray, box: tuple[int, int, int, int], resolution: int
) -> None:
    top, left, height, width = box
    region = Image.fromarray(pixels).crop((left, top, left + width, top + height))
    theirs = region.resize((resolution, resolution), BICUBIC)
    boxes = np.array([[box, box]], np.float64)
    views = Views(boxes, np.array([[False, True]]), crop_first=True)
    plain, mirrored = crop(pixels, views, resolution)
    most, share = levels(plain, theirs)
    assert most <= 2
    assert share < 1e-3
    assert torch.equal(mirrored, plain.flip(-1))
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    on_device = resample(image, torch.from_numpy(boxes), None, resolution, crop_first=True)[0, 0]
    assert levels(on_device, theirs)[0] <= 1


def test_fractions_that_are_cropped_first_see_the_pixels_that_they_touch() -> None:
    box = np.array([[[10.25, 20.5, 30.5, 40.25]]])  # touches rows 10..40 and columns 20..60
    touched = Image.fromarray(NOISE[10:41, 20:61])
    theirs = touched.resize((32, 32), BICUBIC, box=(0.5, 0.25, 40.75, 30.75))
    assert levels(crop(NOISE, Views(box, crop_first=True), 32)[0], theirs) == (0, 0)
    image = torch.from_numpy(NOISE).permute(2, 0, 1)[None]
    on_device = resample(image, torch.from_numpy(box), None, 32, crop_first=True)[0, 0]
    assert levels(on_device, theirs)[0] <= 1


@pytest.mark.parametrize("size", [(375, 500), (500, 375), (256, 256), (30, 500), (32, 41)])
@pytest.mark.parametrize(("short_side", "resolution"), [(248, 224), (40, 32)])
def test_crops_of_a_resized_image_equal_those_of_torchvision(
    size: tuple[int, int], short_side: int, resolution: int
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    resized = reference.resize(
        Image.fromarray(pixels), short_side, reference.InterpolationMode.BICUBIC
    )
    boxes = crops_of_resized(np.array([size]), short_side, resolution, corners=True)
    ours = crop(pixels, Views(boxes), resolution)
    for mine, theirs in zip(ours, reference.five_crop(resized, resolution), strict=True):
        most, share = levels(mine, theirs)
        assert most <= 2
        assert share < 1e-3


def test_the_crops_of_a_resized_image_are_cut_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, int]] = []
    plain = module._resized

    def counted(pixels: np.ndarray, height: int, width: int) -> torch.Tensor:
        made.append((height, width))
        return plain(pixels, height, width)

    monkeypatch.setattr(module, "_resized", counted)
    sizes = np.array([[375, 500]])
    boxes = [crops_of_resized(sizes, side, 224, corners=True) for side in (224, 248)]
    crop(NOISE, Views(np.concatenate(boxes, axis=1)), 224)
    assert made == [(224, 298), (248, 330)]


def test_a_crop_of_an_image_much_larger_is_cut_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = crop(NOISE, Views(np.array([[[0.0, 0.0, 1.0, 1.0]]]), crop_first=True), 4)
    monkeypatch.setattr(module, "_resized", None)  # 1500 x 2000
    corner = crop(NOISE, Views(np.array([[[0.0, 0.0, 1.0, 1.0]]])), 4)
    assert corner.shape == expected.shape


@pytest.mark.parametrize(
    "box",
    [(0.0, 62.5, 375.0, 375.0), (10.3, 20.7, 50.2, 60.9), (374.0, 499.0, 1.0, 1.0)],
)
def test_any_other_box_is_what_pillow_makes_of_it(box: tuple[float, ...]) -> None:
    top, left, height, width = box
    theirs = Image.fromarray(NOISE).resize(
        (224, 224), BICUBIC, box=(left, top, left + width, top + height)
    )
    assert levels(crop(NOISE, Views(np.array([[box]])), 224)[0], theirs)[0] <= 1


def test_a_box_that_rounding_put_outside_is_cut() -> None:
    box = [-1e-9, 125.0, 375.0 + 2e-9, 375.0 + 1e-9]
    assert crop(NOISE, Views(np.array([[box]])), 224).shape == (1, 3, 224, 224)
    assert crop(NOISE, Views(np.array([[box]]), crop_first=True), 224).shape == (1, 3, 224, 224)


def test_pixels_that_must_not_be_written_are_read_only() -> None:
    kept = NOISE.copy()
    kept.flags.writeable = False
    whole = center_square(np.array([[375, 375]]))[None]
    for crop_first in (False, True):
        seen = crop(kept[:, :375], Views(whole, crop_first=crop_first), 224)
        assert torch.equal(seen, crop(NOISE[:, :375], Views(whole, crop_first=crop_first), 224))


def test_the_number_of_threads_changes_nothing() -> None:
    views = Views(np.array([[[3.0, 5.0, 301.0, 301.0]]]), crop_first=True)
    threads, made = torch.get_num_threads(), []
    for count in (1, 4):
        torch.set_num_threads(count)
        made.append(crop(NOISE, views, 224))
    torch.set_num_threads(threads)
    assert torch.equal(*made)
