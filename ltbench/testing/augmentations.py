"""Checks of augmentations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from ltbench.protocols import PixelAugmentation
from ltbench.registry.component import Component
from ltbench.testing.bench import Bench, Trial, context, trials
from ltbench.testing.check import Check, Skipped, bind

SIZES = np.array([[1, 1], [1, 500], [500, 1], [32, 32], [375, 500], [224, 225], [7, 3]])
COUNTS = (6, 3, 1)


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks of an augmentation."""
    functions = (check_views, check_pixels)
    for trial in trials(component):
        yield from bind(f"augmentation {trial.name}", functions, component, bench, trial)


def check_views(component: Component, bench: Bench, trial: Trial) -> None:
    """Views lie inside their images and depend only on their own image's random numbers."""
    augmentation = component.spec.build(bench.config(trial, component), context(COUNTS))
    uniforms = np.random.default_rng(0).random((len(SIZES), augmentation.draws))
    for progress in (0.0, 0.5, 1.0):
        views = augmentation.views(SIZES, uniforms, progress)
        assert views.boxes.shape == (len(SIZES), 4), f"boxes have the shape {views.boxes.shape}"
        corner, extent = views.boxes[:, :2], views.boxes[:, 2:]
        inside = (corner >= 0).all() and (extent > 0).all() and (corner + extent <= SIZES).all()
        assert inside, f"boxes {views.boxes.tolist()} of images {SIZES.tolist()}"
        for row in range(len(SIZES)):
            if progress == 0.5 or row == 0:
                one = slice(row, row + 1)
                alone = augmentation.views(SIZES[one], uniforms[one], progress)
                np.testing.assert_array_equal(alone.boxes, views.boxes[one])
                assert alone.crop_first == views.crop_first, "crop_first differs between images"
        if augmentation.draws == 0:
            first = augmentation.views(SIZES, uniforms, 0.0).boxes
            assert (views.boxes == first).all(), "draws is 0, but the views change"


def check_pixels(component: Component, bench: Bench, trial: Trial) -> None:
    """Changed images keep shape and range, and are the same for the same random numbers."""
    augmentation: Any = component.spec.build(bench.config(trial, component), context(COUNTS))
    if not isinstance(augmentation, PixelAugmentation):
        raise Skipped("the augmentation changes no pixels")
    for size in (1, 6):
        random = np.random.default_rng(size)
        images = torch.from_numpy(random.integers(0, 256, (size, 3, 16, 16), dtype=np.uint8))
        labels, kept = torch.arange(size) % 3, images.clone()
        uniforms = random.random((size, augmentation.draws))
        changed, targets = augmentation.change(images, labels, uniforms)
        again, _ = augmentation.change(images, labels, uniforms)
        assert torch.equal(images, kept), "the input images are modified in place"
        assert torch.equal(changed, again), "the same random numbers give different images"
        assert changed.shape == images.shape, f"images have the shape {tuple(changed.shape)}"
        low, high = float(changed.min()), float(changed.max())
        assert low >= 0, f"a pixel is {low}"
        assert high <= 255, f"a pixel is {high}"
        assert torch.equal(targets.labels, labels), "the labels are changed"
        assert 0 <= targets.share <= 1, f"the share is {targets.share}"
