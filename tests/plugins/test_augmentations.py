from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import RandAugment

from ltbench_plugins.augmentations.mda import Mda
from ltbench_plugins.augmentations.none import Plain
from ltbench_plugins.augmentations.standard import Standard
from tests import parity
from tests.covered import value_of
from tests.specs import specs_of

SPECS = specs_of("augmentation")
CHANGING = ("mixup", "cutmix", "randaugment")
LABELS = torch.tensor([0, 1, 2])


def built(name: str, **options: Any) -> Any:
    spec = SPECS[name]
    return spec.build(spec.config(**options), parity.context([1, 1], parity.narrow_vit(1)))


def changed(augmentation: Any, images: Tensor, last: list[float]) -> tuple[Tensor, Any]:
    """Changes images by numbers whose last columns are the same for all of them."""
    crop = np.full(augmentation.draws - len(last), 0.5)
    uniforms = np.tile([*crop, *last], (len(images), 1))
    result: tuple[Tensor, Any] = augmentation.change(images, LABELS[: len(images)], uniforms)
    return result


@value_of("augmentation", "mda")
def test_mda_takes_one_epoch_and_one_pixel() -> None:
    mda = Mda(0.08, "convex")
    assert mda.smallest(0.0) == pytest.approx(0.08)
    assert mda.smallest(1.0) == pytest.approx(1.0)
    boxes = mda.views(np.array([[1, 1]]), np.array([[0.0, 0.9, 0.9]]), 0.0).boxes
    assert boxes.tolist() == [[0, 0, 1, 1]]


@value_of("augmentation", "none")
def test_none_sees_the_whole_square() -> None:
    assert Plain().views(np.array([[10, 20]]), np.empty((1, 0)), 0.5).boxes.tolist() == [
        [0, 5, 10, 10]
    ]


@pytest.mark.parametrize("name", CHANGING)
def test_what_changes_pixels_crops_as_standard_does(name: str) -> None:
    augmentation, standard = built(name), Standard()
    uniforms = np.random.default_rng(0).random((50, augmentation.draws))
    sizes = np.tile([[30, 40]], (50, 1))
    ours = augmentation.views(sizes, uniforms, 0.0)
    theirs = standard.views(sizes, uniforms[:, : standard.draws], 0.0)
    assert np.array_equal(ours.boxes, theirs.boxes)
    assert np.array_equal(ours.flips, theirs.flips)


@pytest.mark.parametrize("name", SPECS)
def test_random_crops_are_cropped_first(name: str) -> None:
    augmentation = built(name)
    views = augmentation.views(np.array([[30, 40]]), np.full((1, augmentation.draws), 0.5), 0.5)
    assert views.crop_first is (name != "none")


@value_of("augmentation", "mixup")
def test_mixup_blends_an_image_with_its_partner() -> None:
    levels = torch.tensor([0, 100, 200], dtype=torch.uint8)
    images = levels.view(3, 1, 1, 1).expand(3, 3, 4, 4)
    # a third of Beta(1/2, 1/2), the arcsine law, is below sin^2(pi / 6)
    mixed, targets = changed(built("mixup", alpha=0.5), images, [1 / 3])
    assert targets.share == pytest.approx(0.25)
    assert mixed[:, 0, 0, 0].tolist() == pytest.approx([150, 100, 50])
    assert torch.equal(mixed, mixed[:, :1, :1, :1].expand_as(mixed))
    assert targets.labels.tolist() == [0, 1, 2]
    assert targets.partners.tolist() == [2, 1, 0]


@value_of("augmentation", "cutmix")
@pytest.mark.parametrize(
    ("center", "rows", "columns"),
    [  # l = 0.75: a square of side 8 sqrt(1 - 0.75) = 4, cut off at the border
        ((0.5, 0.5), (2, 6), (2, 6)),
        ((0.0, 0.5), (0, 2), (2, 6)),
        ((0.99, 0.0), (6, 8), (0, 2)),
    ],
)
def test_cutmix_pastes_a_rectangle_of_the_partner(
    center: tuple[float, float], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    images = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    before = images.clone()
    mixed, targets = changed(built("cutmix"), images, [*center, 0.75])  # Beta(1, 1) is uniform
    expected = images.clone()
    for row in range(*rows):
        for column in range(*columns):
            expected[0, :, row, column] = images[1, :, row, column]
            expected[1, :, row, column] = images[0, :, row, column]
    assert torch.equal(mixed, expected)
    assert torch.equal(images, before)
    area = (rows[1] - rows[0]) * (columns[1] - columns[0])
    assert targets.share == pytest.approx(1 - area / 64)
    assert targets.labels.tolist() == [0, 1]
    assert targets.partners.tolist() == [1, 0]


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_a_share_is_drawn_from_a_beta_law(name: str) -> None:
    augmentation, images = built(name, alpha=1.0), torch.zeros(2, 3, 64, 64, dtype=torch.uint8)
    numbers = np.random.default_rng(0).random((1000, 3))
    shares = []
    for number in numbers:
        last = [0.5, 0.5, number[2]] if name == "cutmix" else [number[2]]
        shares.append(changed(augmentation, images, last)[1].share)
    assert np.allclose(shares, numbers[:, 2], atol=0.04)  # whole pixels


# torchvision's names, in the order of the numbers that choose them.
OPERATIONS = (
    *("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate"),
    *("Brightness", "Color", "Contrast", "Sharpness"),
    *("Identity", "Posterize", "Solarize", "AutoContrast", "Equalize"),
)


@value_of("augmentation", "randaugment")
@pytest.mark.parametrize("magnitude", [1, 9, 30])
@pytest.mark.parametrize("sign", [-1, 1])
def test_each_operation_of_randaugment_equals_torchvision(magnitude: int, sign: int) -> None:
    random = torch.Generator().manual_seed(0)
    images = torch.randint(20, 220, (14, 3, 24, 24), generator=random).to(torch.uint8)
    theirs = RandAugment()
    assert theirs._AUGMENTATION_SPACE.keys() == set(OPERATIONS)
    augmentation = built("randaugment", operations=1, magnitude=magnitude)
    uniforms = np.full((14, augmentation.draws), 0.5)
    uniforms[:, -1] = (np.arange(14) + 0.5 + sign / 4) / 14
    labels = torch.arange(14)
    changed, targets = augmentation.change(images, labels, uniforms)
    for name, ours, image in zip(OPERATIONS, changed, images, strict=True):
        steps, signed = theirs._AUGMENTATION_SPACE[name]
        strengths = steps(31, 24, 24)
        strength = 0.0 if strengths is None else float(strengths[magnitude])
        expected = theirs._apply_image_or_video_transform(
            image, name, sign * strength if signed else strength, theirs.interpolation, theirs._fill
        )
        difference = (ours.int() - expected.int()).abs()
        assert difference.max() <= 1, name  # its strengths are float32: half a level may round
        assert difference.bool().float().mean() < 0.01, name
    assert (targets.labels is labels, targets.partners, targets.share) == (True, None, 1.0)


def test_randaugment_applies_one_operation_after_the_other() -> None:
    image = torch.randint(0, 256, (1, 3, 8, 8), dtype=torch.uint8)
    one, two = (built("randaugment", operations=count) for count in (1, 2))
    solarize, brighten = 11.5 / 14, 5.75 / 14
    first, _ = changed(one, image, [solarize])
    second, _ = changed(one, first, [brighten])
    both, _ = changed(two, image, [solarize, brighten])
    assert torch.equal(both, second)
    assert not torch.equal(both, changed(two, image, [brighten, solarize])[0])


def test_what_randaugment_does_to_an_image_does_not_depend_on_the_others() -> None:
    augmentation = built("randaugment")
    uniforms = np.random.default_rng(0).random((40, augmentation.draws))
    images = torch.randint(0, 256, (40, 3, 16, 16), dtype=torch.uint8)
    labels = torch.zeros(40, dtype=torch.int64)
    before, (together, _) = images.clone(), augmentation.change(images, labels, uniforms)
    for index in range(40):
        at = slice(index, index + 1)
        alone, _ = augmentation.change(images[at], labels[at], uniforms[at])
        assert torch.equal(alone, together[at])
    assert torch.equal(images, before)
