"""Checks of inferences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ltbench.protocols import RandomInference, TransductiveInference
from ltbench.registry.component import Component
from ltbench.testing.augmentations import SIZES
from ltbench.testing.bench import Bench, Trial, context, trials
from ltbench.testing.check import Check, Skipped, bind
from ltbench.views import Views

COUNTS = (6, 3, 1, 0)


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks of an inference."""
    functions = (check_views, check_pixels, check_reduce, check_adjust)
    for trial in trials(component):
        yield from bind(f"inference {trial.name}", functions, component, bench, trial)


def check_views(component: Component, bench: Bench, trial: Trial) -> None:
    """Views lie inside their images, and each image has the same number of them."""
    inference = component.spec.build(bench.config(trial, component), context(COUNTS))
    uniforms = _uniforms(inference, len(SIZES))
    views = _views(inference, SIZES, uniforms)
    boxes = views.boxes
    assert boxes.ndim == 3, f"boxes have the shape {boxes.shape}"
    assert boxes.shape[::2] == (len(SIZES), 4), f"boxes have the shape {boxes.shape}"
    corner, extent = boxes[..., :2], boxes[..., 2:]
    slack = 1e-6  # boxes of resized images are fractions
    inside = (corner > -slack) & (extent > 0) & (corner + extent < SIZES[:, None] + slack)
    assert inside.all(), f"boxes {boxes.tolist()} of images {SIZES.tolist()}"
    for row in range(len(SIZES)):
        one = slice(row, row + 1)
        alone = _views(inference, SIZES[one], uniforms[one])
        np.testing.assert_array_equal(alone.boxes, boxes[one])


def check_pixels(component: Component, bench: Bench, trial: Trial) -> None:
    """Changed views keep shape and range, and are functions of their image's random numbers."""
    inference = component.spec.build(bench.config(trial, component), context(COUNTS))
    if not isinstance(inference, RandomInference):
        raise Skipped("the inference draws no random numbers")
    random, uniforms = np.random.default_rng(1), _uniforms(inference, 4)
    count = _views(inference, SIZES[:4], uniforms).boxes.shape[1]
    pixels = random.integers(0, 256, (4, count, 3, 16, 16), dtype=np.uint8)
    views = torch.from_numpy(pixels.copy())
    changed = inference.change(views, uniforms)
    assert np.array_equal(views.numpy(), pixels), "the input views are modified in place"
    assert changed.shape == views.shape, f"views have the shape {tuple(changed.shape)}"
    low, high = float(changed.min()), float(changed.max())
    assert low >= 0, f"a pixel is {low}"
    assert high <= 255, f"a pixel is {high}"
    assert torch.equal(inference.change(views[2:3], uniforms[2:3]), changed[2:3]), (
        "the views of an image depend on other images"
    )


def check_reduce(component: Component, bench: Bench, trial: Trial) -> None:
    """The logits of V views become one row for each image, computed from its own views only."""
    inference = component.spec.build(bench.config(trial, component), context(COUNTS))
    views = _views(inference, SIZES, _uniforms(inference, len(SIZES))).boxes.shape[1]
    logits = torch.randn(5, views, len(COUNTS), generator=torch.Generator().manual_seed(0))
    kept = logits.clone()
    reduced = inference.reduce(logits)
    assert torch.equal(kept, logits), "the input logits are modified in place"
    assert reduced.shape == (5, len(COUNTS)), f"logits have the shape {tuple(reduced.shape)}"
    assert reduced.isfinite().all(), "some logits are not finite"
    assert torch.allclose(inference.reduce(logits[2:3]), reduced[2:3]), (
        "the row of an image depends on other images"
    )


def check_adjust(component: Component, bench: Bench, trial: Trial) -> None:
    """A transductive inference gives an image the same logits in every order of the images."""
    inference = component.spec.build(bench.config(trial, component), context(COUNTS))
    if not isinstance(inference, TransductiveInference):
        raise Skipped("the inference has no adjust")
    generator = torch.Generator().manual_seed(0)
    logits = 5 * torch.randn(20, len(COUNTS), generator=generator)
    kept = logits.clone()
    adjusted = inference.adjust(logits)
    assert torch.equal(kept, logits), "the input logits are modified in place"
    assert adjusted.shape == logits.shape, f"logits have the shape {tuple(adjusted.shape)}"
    assert adjusted.isfinite().all(), "some logits are not finite"
    reversed_ = inference.adjust(logits.flip(0)).flip(0)
    assert torch.allclose(adjusted, reversed_, atol=1e-4), "logits depend on the images' order"
    one = inference.adjust(logits[:1])
    assert one.isfinite().all(), "some logits of a single image are not finite"


def _uniforms(inference: Any, count: int) -> NDArray[np.float64]:
    draws = inference.draws if isinstance(inference, RandomInference) else 0
    return np.random.default_rng(0).random((count, draws))


def _views(inference: Any, sizes: NDArray[np.int64], uniforms: NDArray[np.float64]) -> Views:
    views: Views
    if isinstance(inference, RandomInference):
        views = inference.views(sizes, uniforms)
    else:
        views = inference.views(sizes)
    return views
