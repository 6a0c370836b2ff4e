"""Checks of inferences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from ltbench.protocols import TransductiveInference
from ltbench.registry.component import Component
from ltbench.testing.augmentations import SIZES
from ltbench.testing.bench import Bench, Trial, context, trials
from ltbench.testing.check import Check, Skipped, bind

COUNTS = (6, 3, 1, 0)


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks of an inference."""
    functions = (check_views, check_reduce, check_adjust)
    for trial in trials(component):
        yield from bind(f"inference {trial.name}", functions, component, bench, trial)


def check_views(component: Component, bench: Bench, trial: Trial) -> None:
    """Views lie inside their images, and each image has the same number of them."""
    inference = component.spec.build(bench.config(trial, component), context(COUNTS))
    views = inference.views(SIZES)
    boxes = views.boxes
    assert boxes.ndim == 3, f"boxes have the shape {boxes.shape}"
    assert boxes.shape[::2] == (len(SIZES), 4), f"boxes have the shape {boxes.shape}"
    corner, extent = boxes[..., :2], boxes[..., 2:]
    slack = 1e-6  # boxes of resized images are fractions
    inside = (corner > -slack) & (extent > 0) & (corner + extent < SIZES[:, None] + slack)
    assert inside.all(), f"boxes {boxes.tolist()} of images {SIZES.tolist()}"
    np.testing.assert_array_equal(boxes, inference.views(SIZES).boxes)


def check_reduce(component: Component, bench: Bench, trial: Trial) -> None:
    """The logits of V views become one row for each image, computed from its own views only."""
    inference = component.spec.build(bench.config(trial, component), context(COUNTS))
    views = inference.views(SIZES).boxes.shape[1]
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
