"""Calls of plugins' objects: returned values are checked, and errors name the plugin.

A traceback identifies the plugin only for errors of its own code. A wrong signature, a missing
method or a value of the wrong type raises an error in the engine's code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ltbench.data.randomness import view_uniforms
from ltbench.protocols import (
    LossOfExtras,
    PixelAugmentation,
    RandomInference,
    ScheduledLoss,
    Targets,
    TransductiveInference,
)
from ltbench.ranks.group import SINGLE, Group
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component
from ltbench.views import Views, one_view

_TOLERANCE_PIXELS = 1e-6  # boxes of resized images are fractions


class CheckedLoss:
    """A plugin's loss, for plain and for mixed images.

    Args:
        loss: Object that the component built.
        component: Component that is named in errors.
    """

    def __init__(self, loss: Any, component: Component) -> None:
        self._loss = loss
        self._component = component
        self._reads_extras = isinstance(loss, LossOfExtras)

    def start_epoch(self, progress: float) -> None:
        """Passes the progress of the training, epoch / epochs, to a scheduled loss."""
        if isinstance(self._loss, ScheduledLoss):
            with attribute_errors(self._component):
                self._loss.start_epoch(progress)

    def __call__(self, logits: Tensor, targets: Targets, group: Group = SINGLE) -> Tensor:
        """Returns the mean loss of all images of a part; of mixed images, that of both labels.

        All processes compute the same loss, each with the gradient of its own images.

        Args:
            logits: Logits of the images that this process has computed.
            targets: Targets (B,) of the images of all processes.
            group: Processes that share the images out.

        Raises:
            PluginError: The loss is not a scalar with a gradient.
        """
        count = len(targets.labels)
        shown = group.gather(logits, count)
        if self._reads_extras:
            with attribute_errors(self._component):
                extras = self._loss.take_extras()
            every = group.gather(extras, count)
            with attribute_errors(self._component):
                self._loss.set_extras(every)
        value = self._of(shown, targets.labels)
        if targets.partners is None:
            return value
        other = self._of(shown, targets.partners)
        return targets.share * value + (1 - targets.share) * other

    def _of(self, logits: Tensor, labels: Tensor) -> Tensor:
        with attribute_errors(self._component):
            value = self._loss(logits, labels)
        if not isinstance(value, Tensor) or value.ndim or not value.requires_grad:
            found = value if value is None else type(value).__name__
            raise self._component.contract_error(f"returned {found}, not a scalar with a gradient")
        return value


class CheckedAugmentation:
    """A plugin's augmentation.

    Args:
        augmentation: Object that the component built.
        component: Component that is named in errors.

    Attributes:
        draws: Number of uniform random numbers that an image takes in an epoch.
        changes_pixels: Whether `change` is to be called.

    Raises:
        PluginError: The object's `draws` is not a number of at least 0.
    """

    def __init__(self, augmentation: Any, component: Component) -> None:
        self._augmentation = augmentation
        self._component = component
        self.draws = _draws(augmentation, component)
        self.changes_pixels = isinstance(augmentation, PixelAugmentation)

    def views(
        self, sizes: NDArray[np.int64], uniforms: NDArray[np.float64], progress: float
    ) -> Views:
        """Returns one view an image, boxes (N, 1, 4)."""
        with attribute_errors(self._component):
            views = self._augmentation.views(sizes, uniforms, progress)
        return one_view(_checked_views(views, 2, sizes, self._component))

    def change(
        self, images: Tensor, labels: Tensor, uniforms: NDArray[np.float64]
    ) -> tuple[Tensor, Targets]:
        """Returns the images as the backbone takes them, and their targets."""
        with attribute_errors(self._component):
            changed, targets = self._augmentation.change(images, labels, uniforms)
        if not isinstance(changed, Tensor) or changed.shape != images.shape:
            raise self._component.contract_error(f"made no images of shape {tuple(images.shape)}")
        if not _are_targets(targets, labels):
            raise self._component.contract_error(
                "made no `ltbench.protocols.Targets` of this batch"
            )
        return changed, targets


class CheckedInference:
    """A plugin's inference.

    Args:
        inference: Object that the component built.
        component: Component that is named in errors.

    Attributes:
        draws: Number of uniform random numbers that an image takes; 0 where views are no draws.
        transductive: Whether `adjust` is to be called.

    Raises:
        PluginError: The object's `draws` is not a number of at least 0.
    """

    def __init__(self, inference: Any, component: Component) -> None:
        self._inference = inference
        self._component = component
        self._is_random = isinstance(inference, RandomInference)
        self.draws = _draws(inference, component) if self._is_random else 0
        self.transductive = isinstance(inference, TransductiveInference)

    def views(self, sizes: NDArray[np.int64], indices: NDArray[np.int64] | None = None) -> Views:
        """Returns V views an image, boxes (N, V, 4).

        Args:
            sizes: Height and width of the images, in pixels, (N, 2).
            indices: Indices of the images in their split, (N,); None: they belong to no split.
        """
        with attribute_errors(self._component):
            if self._is_random:
                views = self._inference.views(sizes, self._uniforms(len(sizes), indices))
            else:
                views = self._inference.views(sizes)
        return _checked_views(views, 3, sizes, self._component)

    def change(self, views: Tensor, indices: NDArray[np.int64] | None = None) -> Tensor:
        """Returns the pixels of the views as the backbone takes them, (B, V, 3, R, R).

        Args:
            views: Pixels (B, V, 3, R, R), uint8.
            indices: Indices of the images in their split, (B,); None: they belong to no split.

        Raises:
            PluginError: The inference returns pixels of another shape.
        """
        if not self._is_random:
            return views
        with attribute_errors(self._component):
            changed = self._inference.change(views, self._uniforms(len(views), indices))
        if not isinstance(changed, Tensor) or changed.shape != views.shape:
            raise self._component.contract_error(f"made no views of shape {tuple(views.shape)}")
        return changed

    def _uniforms(self, count: int, indices: NDArray[np.int64] | None) -> NDArray[np.float64]:
        """Returns the random numbers of images, (N, draws)."""
        at = np.zeros(count, np.int64) if indices is None else indices
        return view_uniforms(at, self.draws)

    def num_views(self, side: int) -> int:
        """Returns the number of views of an image, V.

        Args:
            side: Resolution R of the views in pixels.
        """
        return int(self.views(np.array([[side, side]])).boxes.shape[1])

    def reduce(self, logits: Tensor) -> Tensor:
        """Returns logits (N, K) from those of the views, (N, V, K)."""
        with attribute_errors(self._component):
            reduced = self._inference.reduce(logits)
        expected = (len(logits), logits.shape[-1])
        if not isinstance(reduced, Tensor) or reduced.shape != expected:
            raise self._component.contract_error(
                f"reduced the views to no logits of shape {expected}"
            )
        return reduced

    def adjust(self, logits: Tensor) -> Tensor:
        """Returns the logits (N, K) of all images of a split, from those of `reduce`, (N, K)."""
        with attribute_errors(self._component):
            adjusted = self._inference.adjust(logits)
        if not isinstance(adjusted, Tensor) or adjusted.shape != logits.shape:
            raise self._component.contract_error(
                f"adjusted the logits to none of shape {tuple(logits.shape)}"
            )
        return adjusted


def _draws(built: Any, component: Component) -> int:
    """Returns the number of random numbers that an image takes."""
    draws = getattr(built, "draws", None)
    if not isinstance(draws, int) or draws < 0:
        raise component.contract_error(f"has draws={draws!r}, not how many numbers it takes")
    return draws


def _checked_views(views: Any, ndim: int, sizes: NDArray[np.int64], component: Component) -> Views:
    """Returns views with boxes in float64, after a check that they lie in their images."""
    if not isinstance(views, Views) or not isinstance(views.boxes, np.ndarray):
        raise component.contract_error("must return Views whose boxes are an array")
    shape = f"({len(sizes)}, 4)" if ndim == 2 else f"({len(sizes)}, V, 4)"
    found = views.boxes.shape
    if len(found) != ndim or found[-1] != 4 or found[0] != len(sizes) or 0 in found:
        raise component.contract_error(f"returned boxes of shape {found}, not {shape}")
    boxes = np.asarray(views.boxes, dtype=np.float64)
    corner, extent, ends = (
        boxes[..., :2],
        boxes[..., 2:],
        np.expand_dims(sizes, list(range(1, ndim - 1))),
    )
    inside = (
        (corner > -_TOLERANCE_PIXELS) & (extent > 0) & (corner + extent < ends + _TOLERANCE_PIXELS)
    )
    if not inside.all():  # NaN is not inside either
        where = tuple(np.argwhere(~inside.all(axis=-1))[0])
        raise component.contract_error(
            f"has a view that is not inside of its image: {boxes[where].tolist()} (top, left, "
            f"height, width) of {sizes[where[0]].tolist()}"
        )
    flips = views.flips
    truths = isinstance(flips, np.ndarray) and flips.dtype == np.bool_
    if flips is not None and not (truths and flips.shape == found[:-1]):
        raise component.contract_error(f"returned flips that are no truths of shape {found[:-1]}")
    if not isinstance(views.crop_first, bool):
        raise component.contract_error(
            f"returned crop_first={views.crop_first!r}, neither True nor False"
        )
    return Views(boxes, flips, views.crop_first)


def _are_targets(targets: Any, labels: Tensor) -> bool:
    if not isinstance(targets, Targets) or not isinstance(targets.share, float | int):
        return False
    shown = (targets.labels, *(() if targets.partners is None else (targets.partners,)))
    return all(isinstance(one, Tensor) and one.shape == labels.shape for one in shown)
