"""Laws of views: the whole distribution against its closed form, or against torchvision.

Extents are whole pixels: Kolmogorov's distance is taken at every value that there can be.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import beta, chisquare, ks_2samp, kstest
from torchvision.transforms import RandomResizedCrop
from torchvision.transforms import functional as vision

from ltbench.views import Views
from ltbench_plugins.augmentations.mda import Mda
from ltbench_plugins.augmentations.standard import Standard
from tests import parity
from tests.covered import value_of
from tests.laws import Law, bound, distance, mda_law
from tests.specs import specs_of

COUNT = 20_000
SIZES = [(375, 500), (500, 333), (64, 640), (28, 42), (32, 32), (7, 3)]
SCHEDULES = ("convex", "linear", "concave", "min", "max")
AUGMENTATIONS = specs_of("augmentation")
INFERENCES = specs_of("inference")


def drawn(augmentation: Any, size: tuple[int, int], progress: float, seed: int = 0) -> Views:
    uniforms = np.random.default_rng(seed).random((COUNT, augmentation.draws))
    views: Views = augmentation.views(np.tile([size], (COUNT, 1)), uniforms, progress)
    return views


def expect_uniform_places(boxes: NDArray[np.float64], size: tuple[int, int]) -> None:
    """Checks that each whole offset that leaves a box inside is as likely, whatever its extent."""
    free = size - boxes[:, 2:] + 1
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, :2] < free).all()
    spread = (boxes[:, :2] + np.random.default_rng(1).random((len(boxes), 2))) / free
    for column in spread.T:
        assert kstest(column, "uniform").pvalue > 1e-6
    cells = np.floor(4 * spread).astype(int)
    extent = (boxes[:, 2] > np.median(boxes[:, 2])).astype(int)
    for part in (cells[extent == 0], cells[extent == 1]):
        if len(part) > 1000:
            assert chisquare(np.bincount(4 * part[:, 0] + part[:, 1], minlength=16)).pvalue > 1e-6


@value_of("augmentation", "mda")
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("size", SIZES)
def test_mda_has_the_published_law(size: tuple[int, int], schedule: Any) -> None:
    mda = Mda(0.08, schedule)
    for epoch in range(5):
        boxes = drawn(mda, size, epoch / 4, epoch).boxes
        assert (boxes[:, 2] == boxes[:, 3]).all()
        law = mda_law(size, mda.smallest(epoch / 4))
        shown = np.maximum(boxes[:, 2], 1)
        assert distance(shown, lambda side, law=law: law(side) * (side >= 1)) < bound(COUNT)
        expect_uniform_places(boxes, size)


def standard_law(size: tuple[int, int]) -> tuple[Law, Law, float]:
    """P(height <= k) and P(width <= k) of a rectangle that fits, and how often one does.

    Of an attempt ln r is uniform for the aspect r = width / height, and the area is uniform: for
    each r the area is integrated exactly, and over ln r by midpoints.
    """
    height, width = size
    whole, steps = height * width, 20_000
    logs = math.log(3 / 4) + (np.arange(steps) + 0.5) / steps * math.log(16 / 9)
    aspect = np.exp(logs)

    def trainer(tallest: float, widest: float) -> float:
        most = np.minimum(np.square(tallest + 0.5) * aspect, np.square(widest + 0.5) / aspect)
        return float(np.clip((most / whole - 0.08) / 0.92, 0, 1).mean())

    there = trainer(height, width)

    def of_height(values: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array([trainer(min(v, height), width) / there * (v > 0) for v in values])

    def of_width(values: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array([trainer(height, min(v, width)) / there * (v > 0) for v in values])

    return of_height, of_width, there


@value_of("augmentation", "standard")
@pytest.mark.parametrize(
    ("size", "fallback"),
    [
        ((375, 500), (375, 500)),
        ((300, 90), (120, 90)),  # 90 / (3 / 4)
        ((32, 32), (32, 32)),
        ((30, 100), (30, 40)),  # 30 * 4 / 3
        ((20, 400), (20, 27)),  # nothing ever fits
    ],
)
def test_standard_has_the_law_of_its_definition(
    size: tuple[int, int], fallback: tuple[int, int]
) -> None:
    views = drawn(Standard(), size, 0.0)
    corner = (np.array(size) - fallback) // 2
    whole = np.concatenate([corner, fallback])
    missed = (views.boxes == whole).all(axis=1)
    if size == (20, 400):
        assert missed.all()
        return
    heights, widths, fits = standard_law(size)
    expected = (1 - fits) ** 10  # of ten attempts none fits
    assert missed.mean() == pytest.approx(expected, abs=0.002 + 5 * math.sqrt(expected / COUNT))
    found = views.boxes if expected < 1e-3 else views.boxes[~missed]
    assert distance(found[:, 2], heights) < bound(len(found))
    assert distance(found[:, 3], widths) < bound(len(found))
    expect_uniform_places(found, size)
    assert views.flips is not None
    assert abs(views.flips.mean() - 0.5) < bound(COUNT)
    tall = found[:, 2] > np.median(found[:, 2])
    flips = views.flips if expected < 1e-3 else views.flips[~missed]
    assert abs(flips[tall].mean() - 0.5) < 2 * bound(COUNT)


@value_of("augmentation", "standard")
@pytest.mark.parametrize("size", [(100, 150), (375, 500), (30, 100)])
def test_standard_cannot_be_told_from_random_resized_crop(size: tuple[int, int]) -> None:
    boxes = drawn(Standard(), size, 0.0).boxes
    torch.manual_seed(0)
    image = torch.empty(3, *size)
    crop = RandomResizedCrop.get_params
    theirs = np.array([crop(image, [0.08, 1.0], [3 / 4, 4 / 3]) for _ in range(4000)])
    for ours, reference in zip(boxes.T, theirs.T, strict=True):
        assert ks_2samp(ours, reference).pvalue > 1e-4
    areas = boxes[:, 2] * boxes[:, 3], theirs[:, 2] * theirs[:, 3]
    aspects = boxes[:, 3] / boxes[:, 2], theirs[:, 3] / theirs[:, 2]
    for ours, reference in (areas, aspects):
        assert ks_2samp(ours, reference).pvalue > 1e-4


def built(specs: dict[str, Any], name: str, **options: Any) -> Any:
    spec = specs[name]
    return spec.build(spec.config(**options), parity.context([1, 1], parity.clip_vit()))


@pytest.mark.parametrize(
    ("name", "alpha", "side"),  # whole pixels round a share near 0 or 1, of which 0.2 has many
    [("mixup", 0.2, 2), ("mixup", 4.0, 2), ("cutmix", 1.0, 400), ("cutmix", 4.0, 400)],
)
def test_a_share_has_the_law_of_beta(name: str, alpha: float, side: int) -> None:
    augmentation = built(AUGMENTATIONS, name, alpha=alpha)
    images, labels = torch.zeros(2, 3, side, side, dtype=torch.uint8), torch.tensor([0, 1])
    shares = []
    for numbers in np.random.default_rng(0).random((150, augmentation.draws)):
        if name == "cutmix":  # in the middle nothing is cut off at the border
            numbers[-3:-1] = 0.5
        shares.append(augmentation.change(images, labels, np.tile(numbers, (2, 1)))[1].share)
    assert kstest(shares, beta(alpha, alpha).cdf).pvalue > 1e-3


@value_of("augmentation", "cutmix")
def test_a_pasted_rectangle_has_a_uniform_centre() -> None:
    augmentation = built(AUGMENTATIONS, "cutmix")
    images = torch.zeros(2, 3, 60, 60, dtype=torch.uint8)
    images[1] = 1
    centers = []
    for numbers in np.random.default_rng(0).random((300, augmentation.draws)):
        numbers[-1] = 0.9  # a square of 60 sqrt(.1), about 19 pixels
        mixed, _ = augmentation.change(images, torch.tensor([0, 1]), np.tile(numbers, (2, 1)))
        rows, columns = mixed[0, 0].nonzero(as_tuple=True)
        middle = []
        for found in (rows, columns):
            first, last = int(found.min()), int(found.max())
            # Cut off at one border, it is known by the other.
            middle.append(last - 9 if first == 0 else first + 9)
        centers.append(middle)
    for column in np.array(centers).T:
        assert distance(column, lambda at: np.clip((at + 1) / 60, 0, 1)) < bound(300, 1e-4)


@value_of("augmentation", "randaugment")
def test_operations_are_drawn_uniformly() -> None:
    """Each of the fourteen, and either sign of those that have one, from a uniform number."""
    from ltbench_plugins.modules.randaugment import apply_operations

    ramp = torch.arange(24 * 24).view(1, 1, 24, 24).remainder(199).add(20)
    images = (ramp * torch.tensor([1.0, 0.9, 0.7]).view(1, 3, 1, 1)).to(torch.uint8)
    chosen = (np.arange(14 * 40) + 0.5) / (14 * 40)
    changed = apply_operations(images.expand(len(chosen), -1, -1, -1), chosen, 9)
    results = changed.flatten(1).unique(dim=0, return_counts=True)[1].sort().values.tolist()
    # Posterize, Solarize, AutoContrast, Equalize and Identity have no sign: forty of each.
    assert sum(results) == 14 * 40
    assert all(count % 20 == 0 for count in results)


def resized(size: tuple[int, int], side: int) -> tuple[int, int]:
    height, width = vision._compute_resized_output_size(size, [side])
    return height, width


def offsets(name: str, free: tuple[int, int]) -> list[tuple[float, float]]:
    """Of the crops of torchvision's `FiveCrop`, or of its `CenterCrop` alone."""
    center = (round(free[0] / 2.0), round(free[1] / 2.0))
    if name in ("center", "flip", "multi_scale"):
        return [center]
    return [(0, 0), (0, free[1]), (free[0], 0), free, center]


NOT_DRAWN = [name for name in INFERENCES if name != "randaug_tte"]


@value_of("inference", *NOT_DRAWN)
@pytest.mark.parametrize("name", NOT_DRAWN)
def test_test_views_are_torchvisions_crops_of_the_resized_image(name: str) -> None:
    """Nothing is drawn here: every box at many sizes, tall, wide and square."""
    inference, side = built(INFERENCES, name), 32
    shorts = {"center": [36], "flip": [36], "multi_scale": [32, 37, 41]}.get(name, [35])
    random = np.random.default_rng(0)
    sizes = np.concatenate([SIZES[:-1], random.integers(33, 900, (200, 2))])
    boxes = inference.views(sizes).boxes
    for size, ours in zip(sizes.tolist(), boxes, strict=True):
        expected = []
        for short in shorts:
            height, width = resized(size, short)
            ratio = np.array([size[0] / height, size[1] / width])
            for offset in offsets(name, (height - side, width - side)):
                expected.append([*(np.array(offset) * ratio), *(side * ratio)])
        if name in ("flip", "ten_crop"):
            expected *= 2
        assert np.allclose(ours, expected, rtol=1e-12, atol=1e-9), (size, name)


@value_of("augmentation", "none")
def test_none_is_the_centred_square_of_every_size() -> None:
    sizes = np.random.default_rng(0).integers(1, 900, (200, 2))
    boxes = built(AUGMENTATIONS, "none").views(sizes, np.empty((200, 0)), 0.5).boxes
    side = sizes.min(axis=1)
    assert (boxes[:, 2] == side).all()
    assert (boxes[:, 3] == side).all()
    assert np.array_equal(2 * boxes[:, :2] + boxes[:, 2:], sizes)
