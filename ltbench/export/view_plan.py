"""The test views of a run as data: crops of a resized image, and weights of their logits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ltbench.protocols import Inference
from ltbench.views import Views, crops_of_resized

PLACES = ("top_left", "top_right", "bottom_left", "bottom_right", "center")
"""Places of the crops of `crops_of_resized`, in its order."""

_TOLERANCE_PIXELS = 1e-6
_TOLERANCE_LOGITS = 1e-4
_SIZES = 64
_SMALLEST_LARGEST = 16, 1200  # sides of the images on which a plan is compared, in pixels


@dataclass(frozen=True)
class PlannedView:
    """A crop of an image that is resized to a short side.

    Args:
        short_side: Short side of the resized image, in pixels.
        place: Place of the crop, one of `PLACES`.
        flip: Whether the crop is mirrored left to right.
    """

    short_side: int
    place: str
    flip: bool

    def to_dict(self) -> dict[str, Any]:
        """Returns the view for a JSON file."""
        return {"short_side": self.short_side, "place": self.place, "flip": self.flip}


@dataclass(frozen=True)
class ViewPlan:
    """Views of an image, and the weighted sum of their logits.

    Args:
        views: The V views.
        weights: Weight of each view's logits, V values.
        offset: Summand of the logits of each class, K values; empty for zero.
    """

    views: tuple[PlannedView, ...]
    weights: tuple[float, ...]
    offset: tuple[float, ...] = ()


def center_plan(resolution: int) -> ViewPlan:
    """Returns the plan of one centre crop: the image resized so that it has no border."""
    return ViewPlan((PlannedView(resolution, "center", flip=False),), (1.0,))


def view_plan(inference: Inference, resolution: int, num_classes: int) -> ViewPlan | None:
    """Returns the plan of an inference; None where it is no such plan.

    The plan is read from the inference's boxes and sums, and compared with them on images of many
    sizes and on random logits.

    Args:
        inference: Inference of a run.
        resolution: Side R of the views, in pixels.
        num_classes: Number of classes K.
    """
    random = np.random.default_rng(0)
    sizes = random.integers(*_SMALLEST_LARGEST, (_SIZES, 2))
    chosen = inference.views(sizes)
    if chosen.crop_first:
        return None
    views = tuple(_planned(chosen, sizes, resolution))
    sums = _sums(inference, len(views), num_classes)
    if len(views) != chosen.boxes.shape[1] or sums is None:
        return None
    weights, offset = sums
    return ViewPlan(views, tuple(weights), tuple(offset) if any(offset) else ())


def _planned(chosen: Views, sizes: NDArray[np.int64], resolution: int) -> Iterator[PlannedView]:
    """Yields those of the views that are crops of a resized image."""
    for number in range(chosen.boxes.shape[1]):
        boxes = chosen.boxes[:, number]
        flips = np.zeros(len(sizes), bool) if chosen.flips is None else chosen.flips[:, number]
        ratios = resolution / boxes[:, 2:].min(axis=1)  # of the short side, which is not rounded
        short_side = round(float(np.median(sizes.min(axis=1) * ratios)))
        crops = crops_of_resized(sizes, short_side, resolution, corners=True)
        for place in reversed(range(len(PLACES))):
            same = np.abs(crops[:, place] - boxes).max() < _TOLERANCE_PIXELS
            if same and len(set(flips.tolist())) == 1:
                yield PlannedView(short_side, PLACES[place], bool(flips[0]))
                break


def _sums(
    inference: Inference, count: int, num_classes: int
) -> tuple[list[float], list[float]] | None:
    """Returns weights and offset of a weighted sum; None where the logits are no such sum."""
    if not count:
        return None
    offset = inference.reduce(torch.zeros(1, count, num_classes))[0]
    ones = torch.eye(count)[..., None].expand(count, count, num_classes)
    weights = (inference.reduce(ones) - offset).mean(dim=1)
    generator = torch.Generator().manual_seed(0)
    logits = 10 * torch.randn(8, count, num_classes, generator=generator)
    expected = inference.reduce(logits)
    found = (logits * weights[:, None]).sum(dim=1) + offset
    if float((found - expected).abs().max()) > _TOLERANCE_LOGITS:
        return None
    return weights.tolist(), offset.tolist()
