"""Views of test images and what becomes of their logits, by hand.

An image of 72 x 108 resized to a short side of 36 is 36 x 54: a pixel of it is two of the image.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from ltbench_plugins.augmentations.randaugment import RandAugment, RandAugmentConfig
from tests import parity
from tests.covered import value_of
from tests.specs import specs_of

SPECS = specs_of("inference")
SIZES = np.array([[72, 108], [36, 36]])
CENTER = [4, 22, 64, 64]
FIVE = [[0, 0, 64, 64], [0, 44, 64, 64], [8, 0, 64, 64], [8, 44, 64, 64], CENTER]


def built(name: str, resolution: int = 32, counts: tuple[int, ...] = (1, 1), **options: Any) -> Any:
    spec = SPECS[name]
    ctx = replace(parity.context(list(counts), parity.narrow_vit(1)), resolution=resolution)
    return spec.build(spec.config(**options), ctx)


FIXED = SPECS.keys() - {"randaug_tte"}


@value_of("inference", *FIXED)
@pytest.mark.parametrize(
    ("name", "options", "boxes", "flips"),
    [
        ("center", {}, [CENTER], None),
        ("tte", {"expand": 4}, FIVE, None),
        ("post_hoc_logit_adjustment", {"expand": 4}, FIVE, None),
        ("em_prior", {"expand": 4}, FIVE, None),
        ("flip", {}, [CENTER] * 2, [False, True]),
        ("ten_crop", {"expand": 4}, FIVE * 2, [False] * 5 + [True] * 5),
        ("multi_scale", {"scales": (1.0, 9 / 8)}, [[0, 18, 72, 72], CENTER], None),
    ],
)
def test_views_by_hand(
    name: str, options: dict[str, Any], boxes: list[list[int]], flips: list[bool] | None
) -> None:
    views = built(name, **options).views(SIZES)
    assert views.boxes[0].tolist() == boxes
    assert (views.flips is None) == (flips is None)
    if flips is not None:
        assert views.flips.tolist() == [flips] * 2
    small = views.boxes[1]  # of 36 x 36: a pixel of the resized image is one of this
    assert (small[:, :2] + small[:, 2:] <= 36).all()
    assert set(small[:, 2]) == ({36.0, 32.0} if name == "multi_scale" else {32.0})


@value_of("inference", *FIXED - {"post_hoc_logit_adjustment"})
@pytest.mark.parametrize("name", sorted(FIXED - {"post_hoc_logit_adjustment"}))
def test_logits_of_the_views_are_averaged(name: str) -> None:
    inference = built(name)
    views = inference.views(SIZES).boxes.shape[1]
    logits = torch.arange(2.0 * views * 3).view(2, views, 3)
    middle = 3 * (views - 1) / 2  # of the first column of the first image
    expected = torch.tensor([[0.0, 1, 2], [3 * views, 3 * views + 1, 3 * views + 2]]) + middle
    assert torch.allclose(inference.reduce(logits), expected)


@value_of("inference", "post_hoc_logit_adjustment")
@pytest.mark.parametrize("tau", [0.0, 1.0, 0.5])
def test_the_prior_is_taken_out_of_the_logits(tau: float) -> None:
    inference = built("post_hoc_logit_adjustment", counts=(6, 2, 0), tau=tau)
    logits = torch.tensor([[[1.0, 2, 3]] * 4 + [[6.0, 2, 3]]])
    prior = [6 / 9, 2 / 9, 1 / 9]  # a class without images counts as one with one
    expected = [z - tau * math.log(p) for z, p in zip([2, 2, 3], prior, strict=True)]
    assert inference.reduce(logits)[0].tolist() == pytest.approx(expected)


def posteriors(*probabilities: float) -> torch.Tensor:
    """Logits of two classes whose softmax gives the first one these probabilities."""
    first = torch.tensor(probabilities)
    return torch.stack([first, 1 - first], dim=1).log() + 3  # a softmax has no level


@value_of("inference", "em_prior")
@pytest.mark.parametrize(
    ("iterations", "prior"),
    [
        (1, (0.9 + 0.3 + 0.5) / 3),
        # The second starts at 17/30 and 13/30, ratios 17/15 and 13/15 to the uniform source.
        (2, (0.9 * 17 / (0.9 * 17 + 0.1 * 13) + 0.3 * 17 / (0.3 * 17 + 0.7 * 13) + 17 / 30) / 3),
        # The likelihood (.1 + .8 a)(.7 - .4 a) / 2 is largest at a = .52 / .64.
        (1000, 0.8125),
    ],
)
def test_em_estimates_the_prior_of_unlabelled_images(iterations: int, prior: float) -> None:
    logits = posteriors(0.9, 0.3, 0.5)
    inference = built("em_prior", max_iterations=iterations, tolerance=1e-7)
    shift = inference.adjust(logits) - logits
    expected = torch.tensor([2 * prior, 2 * (1 - prior)]).log().expand(3, 2)
    torch.testing.assert_close(shift, expected, rtol=0, atol=1e-4)


@value_of("inference", "em_prior")
def test_em_finds_the_prior_of_a_deployment_from_that_of_the_training() -> None:
    # A feature is 1 with probability .8 in class 0 and .2 in class 1; of the training images 3/4
    # are of class 0, of the 20 test images 1/4, so that 7 have the feature.
    with_, without = (0.75 * p / (0.75 * p + 0.25 * (1 - p)) for p in (0.8, 0.2))
    logits = posteriors(*[with_] * 7, *[without] * 13)
    inference = built("em_prior", counts=(150, 50), source="train", tolerance=1e-7)
    found = inference.adjust(logits).softmax(dim=1)[[0, -1], 0]
    expected = [0.25 * p / (0.25 * p + 0.75 * (1 - p)) for p in (0.8, 0.2)]
    assert found.tolist() == pytest.approx(expected, abs=1e-3)
    uniform = built("em_prior", counts=(150, 50), tolerance=1e-7).adjust(logits)
    assert uniform.softmax(dim=1)[0, 0].item() != pytest.approx(expected[0], abs=0.05)


def test_em_takes_images_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = 4 * torch.randn(11, 5, generator=torch.Generator().manual_seed(0))
    whole = built("em_prior", counts=(1,) * 5).adjust(logits)
    monkeypatch.setattr("ltbench_plugins.modules.label_shift._IMAGES_AT_A_TIME", 4)
    assert torch.equal(built("em_prior", counts=(1,) * 5).adjust(logits), whole)


def test_a_class_that_em_leaves_nothing_has_finite_logits() -> None:
    logits = torch.tensor([[80.0, 0.0, 0.0]])
    adjusted = built("em_prior", counts=(1,) * 3).adjust(logits)
    assert adjusted.isfinite().all()
    assert adjusted.softmax(dim=1)[0, 0] == 1


@pytest.mark.parametrize(("resolution", "expand"), [(224, 24), (336, 24), (112, 12), (32, 3)])
def test_small_backbones_expand_in_proportion(resolution: int, expand: int) -> None:
    for name in ("tte", "ten_crop", "post_hoc_logit_adjustment"):
        automatic = built(name, resolution).views(SIZES).boxes
        assert np.array_equal(automatic, built(name, resolution, expand=expand).views(SIZES).boxes)


def test_scales_are_rounded_to_pixels() -> None:
    views = built("multi_scale", 224).views(np.array([[288, 288]]))
    assert views.boxes[0, :, 2] == pytest.approx([288, 224 * 288 / 256, 224])
    views = built("multi_scale", scales=(8 / 7,)).views(np.array([[74, 74]]))  # 36.6: 37 pixels
    assert views.boxes[0].tolist() == [[4, 4, 64, 64]]


@value_of("inference", "randaug_tte")
@pytest.mark.parametrize("operations", [0, 2])
def test_random_views_are_those_of_the_augmentation(operations: int) -> None:
    """Every view of every image is made by itself, with its own part of the random numbers."""
    inference = built("randaug_tte", views=3, operations=operations, magnitude=20)
    augmentation = RandAugment(RandAugmentConfig(operations, 20))
    uniforms = np.random.default_rng(0).random((2, 3, augmentation.draws))
    assert inference.draws == 3 * augmentation.draws
    views = inference.views(SIZES, uniforms.reshape(2, -1))
    assert views.crop_first
    assert views.flips is not None
    pixels = torch.randint(0, 256, (2, 3, 3, 16, 16), dtype=torch.uint8)
    changed = inference.change(pixels, uniforms.reshape(2, -1))
    for image in range(2):
        for view in range(3):
            own = uniforms[image, view][None]
            alone = augmentation.views(SIZES[image : image + 1], own, 0.0)
            assert views.boxes[image, view].tolist() == alone.boxes[0].tolist()
            assert alone.flips is not None
            assert views.flips[image, view] == alone.flips[0]
            made, _ = augmentation.change(pixels[image, view][None], torch.zeros(1), own)
            assert torch.equal(changed[image, view], made[0])
    assert torch.equal(changed, pixels) == (operations == 0)
    logits = torch.tensor([[[1.0, 2], [3, 6], [5, 1]]])
    assert inference.reduce(logits).tolist() == [[3, 3]]
