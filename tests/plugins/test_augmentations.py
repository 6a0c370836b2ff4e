from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms import RandomResizedCrop

from ltbench_plugins.augmentations.mda import Mda
from ltbench_plugins.augmentations.none import Plain
from ltbench_plugins.augmentations.standard import Standard


@pytest.mark.parametrize("size", [(100, 150), (375, 500), (20, 400)])
def test_standard_has_the_law_of_random_resized_crop(size: tuple[int, int]) -> None:
    count = 4000
    augmentation = Standard()
    uniforms = np.random.default_rng(0).random((count, augmentation.draws))
    views = augmentation.views(np.tile([size], (count, 1)), uniforms, 0.0)
    torch.manual_seed(0)
    image = torch.empty(3, *size)
    crop = RandomResizedCrop.get_params
    theirs = np.array([crop(image, [0.08, 1.0], [3 / 4, 4 / 3]) for _ in range(count)])
    for column in range(4):
        ours, reference = views.boxes[:, column], theirs[:, column]
        spread = max(reference.std() / np.sqrt(count), 1e-9)
        assert abs(ours.mean() - reference.mean()) < 6 * spread
        assert ours.std() == pytest.approx(reference.std(), rel=0.08, abs=1e-9)
    assert views.flips is not None
    assert abs(views.flips.mean() - 0.5) < 0.04
    assert (views.boxes[:, :2] + views.boxes[:, 2:] <= size).all()


def test_mda_takes_one_epoch_and_one_pixel() -> None:
    mda = Mda(0.08, "convex")
    assert mda.smallest(0.0) == pytest.approx(0.08)
    assert mda.smallest(1.0) == pytest.approx(1.0)
    boxes = mda.views(np.array([[1, 1]]), np.array([[0.0, 0.9, 0.9]]), 0.0).boxes
    assert boxes.tolist() == [[0, 0, 1, 1]]


def test_none_sees_the_whole_square() -> None:
    assert Plain().views(np.array([[10, 20]]), np.empty((1, 0)), 0.5).boxes.tolist() == [
        [0, 5, 10, 10]
    ]
