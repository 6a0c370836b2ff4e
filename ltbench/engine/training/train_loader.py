"""Data loaders of the training images: drawn, cropped and augmented, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import tee
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltbench.data import Dataset
from ltbench.data.loading.batches import Batch, Batches, LoaderConfig, Order
from ltbench.data.loading.transfer import to_device
from ltbench.data.randomness import draw_epoch, shuffle_epoch, uniforms
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.building.checked_components import CheckedAugmentation
from ltbench.engine.building.sampling_weights import scaled
from ltbench.engine.model.classifier import Classifier
from ltbench.protocols import Targets
from ltbench.ranks.group import Group
from ltbench.views import Views


@dataclass(frozen=True)
class Part:
    """Images of one forward and backward pass.

    Args:
        inputs: Model's input of this process's share of the images; of one image where the share is
            empty, for a model takes no empty batch.
        targets: Targets of all the images, also those of other processes.
    """

    inputs: Tensor
    targets: Targets

    def __len__(self) -> int:
        """Returns the number of all the images."""
        return len(self.targets.labels)


class TrainLoader(Protocol):
    """Data loader of a training: batches of images, or of their features, epoch by epoch."""

    @property
    def seed(self) -> int:
        """Seed of the order and of all other random numbers."""
        ...

    @property
    def skipped(self) -> Mapping[int, str]:
        """Messages about the corrupt images left out so far, by index."""
        ...

    def __len__(self) -> int:
        """Returns the number of images in an epoch."""
        ...

    def close(self) -> None:
        """Ends the loader workers that wait for another epoch."""

    def epoch(self, epoch: int, batch_size: int, parts: int = 1) -> Iterator[Sequence[Part]]:
        """Yields each batch in equal parts."""
        ...

    def logits(self, model: Classifier, inputs: Tensor) -> Tensor:
        """Returns the model's logits (B, K) of a part of a batch."""
        ...


@dataclass
class ImageLoader:
    """Batches of training images and their targets.

    Args:
        dataset: Data set with a training split.
        augmentation: Augmentation of the images.
        resolution: R, in pixels.
        loader_config: Device, and how images reach it.
        seed: Seed of the order and of the augmentation's random numbers.
        epochs: Number of epochs of the training.
        sampling_weights: (K,) relative frequency of drawing each class, the largest 1; None: every
            image once.
        chosen: (M,) indices of the images that are trained on; None: all N.

    Attributes:
        batches: Views of the images, batch by batch.
    """

    dataset: Dataset
    augmentation: CheckedAugmentation
    resolution: int
    loader_config: LoaderConfig
    seed: int
    epochs: int
    sampling_weights: NDArray[np.float64] | None
    chosen: NDArray[np.int64] | None = None
    batches: Batches = field(init=False)

    def __post_init__(self) -> None:
        self.batches = Batches(
            self.dataset, "train", self._views, self.resolution, self.loader_config
        )

    def __len__(self) -> int:
        """Returns the number of images in an epoch."""
        return len(self.batches.split) if self.chosen is None else len(self.chosen)

    @property
    def skipped(self) -> Mapping[int, str]:
        """Messages about the corrupt images left out so far, by index."""
        return self.batches.skipped

    def epoch(self, epoch: int, batch_size: int, parts: int = 1) -> Iterator[Sequence[Part]]:
        """Yields each batch of images (B, 3, R, R) in 0..255, and their targets, in equal parts."""
        every, given = tee(self.orders(epoch, batch_size))
        group, skips = self.loader_config.group, self.loader_config.skip_corrupt
        own = ((epoch, draws[_own_rows(len(draws), parts, group)]) for _, draws in given)
        for (_, draws), batch in zip(every, self.batches.aligned(own), strict=True):
            rows = len(_own_rows(len(draws), parts, group))
            lost = batch is None or len(batch.draws) < rows
            # One process has everything in its batch, on the device already.
            alone = group.size == 1
            if alone or self.augmentation.changes_pixels or (skips and group.some(lost)):
                gathered = batch if alone else self._gathered(batch, draws)
                if gathered is not None:
                    images, targets = self._changed(gathered, epoch)
                    yield in_parts(own_inputs(images, parts, group), targets, parts, group)
            elif batch is not None:
                lengths = [own.stop - own.start for _, own in _slices(len(draws), parts, group)]
                targets = Targets(self.batches.labels_of(draws))
                yield in_parts(batch.views[:, 0].split(lengths), targets, parts, group)

    def close(self) -> None:
        """Ends the loader workers that wait for another epoch."""
        self.batches.close()

    def orders(self, epoch: int, batch_size: int) -> Iterator[Order]:
        """Yields epoch and draws of each batch of an epoch."""
        for part in torch.split(torch.from_numpy(self._order(epoch)), batch_size):
            yield epoch, part.numpy()

    def logits(self, model: Classifier, inputs: Tensor) -> Tensor:
        """Returns the model's logits (B, K) of images (B, 3, R, R)."""
        logits: Tensor = model(inputs)
        return logits

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """Returns the draws of an epoch, (N,)."""
        labels, size = self.batches.split.labels, len(self)
        if self.sampling_weights is None:
            draws = shuffle_epoch(self.seed, epoch, size)
        else:
            drawn = labels if self.chosen is None else labels[self.chosen]
            draws = draw_epoch(self.seed, epoch, drawn, self.sampling_weights)
        if self.chosen is None:
            return draws
        # The repetitions of an image are numbered in steps of the whole split's size.
        repetition, place = np.divmod(draws, size)
        order: NDArray[np.int64] = self.chosen[place] + len(labels) * repetition
        return order

    def _uniforms(self, epoch: int, draws: NDArray[np.int64]) -> NDArray[np.float64]:
        return uniforms(self.seed, epoch, draws, self.augmentation.draws)

    def _views(self, sizes: NDArray[np.int64], epoch: int, draws: NDArray[np.int64]) -> Views:
        progress = epoch / (self.epochs - 1) if self.epochs > 1 else 0.0
        return self.augmentation.views(sizes, self._uniforms(epoch, draws), progress)

    def _gathered(self, batch: Batch | None, draws: NDArray[np.int64]) -> Batch | None:
        """Returns a batch with the images of all processes; None where none can be decoded.

        Args:
            batch: Images of this process, or None.
            draws: (B,) draws of the batch, also of the images that cannot be decoded.
        """
        group = self.loader_config.group
        if self.loader_config.skip_corrupt:
            self.batches.share_skipped()
        parts = group.gather_parts(None if batch is None else (batch.views,))
        told = group.collect([] if batch is None else batch.draws.tolist())
        found = np.array([draw for one in told for draw in one], dtype=np.int64)
        if not len(found):
            return None
        order = np.argsort(draws)
        places = order[np.searchsorted(draws, found, sorter=order)]
        _, rows = np.unique(places, return_index=True)  # images that filled a share come twice
        views = torch.cat([columns[0] for columns in parts]) if len(parts) > 1 else parts[0][0]
        if not np.array_equal(rows, np.arange(len(found))):
            views = views[to_device(rows, views.device)]
        found = found[rows]
        at = to_device(found % len(self.batches.split), views.device)
        return Batch(views, self.batches.labels[at], at, found)

    def _changed(self, batch: Batch, epoch: int) -> tuple[Tensor, Targets]:
        images = batch.views[:, 0]
        if not self.augmentation.changes_pixels:
            return images, Targets(batch.labels)
        uniforms = self._uniforms(epoch, batch.draws)
        return self.augmentation.change(images, batch.labels, uniforms)


def in_parts(inputs: Sequence[Tensor], targets: Targets, parts: int, group: Group) -> list[Part]:
    """Returns the parts of a batch.

    Args:
        inputs: Model's input of this process for each part.
        targets: Targets of the whole batch, (B,).
        parts: Number of parts.
        group: Processes that share the batch out.
    """
    slices = [whole for whole, _ in _slices(len(targets.labels), parts, group)]
    return [
        Part(one, _targets_of(targets, whole)) for one, whole in zip(inputs, slices, strict=True)
    ]


def own_inputs(inputs: Tensor, parts: int, group: Group) -> list[Tensor]:
    """Returns this process's share of a whole batch (B, ...), part by part."""
    return [inputs[own] for _, own in _slices(len(inputs), parts, group)]


def _targets_of(targets: Targets, rows: slice) -> Targets:
    partners = None if targets.partners is None else targets.partners[rows]
    return Targets(targets.labels[rows], partners, targets.share)


def _slices(count: int, parts: int, group: Group) -> list[tuple[slice, slice]]:
    """Returns the rows of each part of a batch, and those of them that this process computes.

    Args:
        count: Number of rows of the batch, B.
        parts: Number of equal parts; the last one may be smaller, or missing.
        group: Processes that share the batch out.
    """
    size = math.ceil(count / parts)
    found = []
    for start in range(0, count, size):
        share = group.share(min(size, count - start))
        own = slice(start + share.start, start + share.stop)
        filled = own if share.start < share.stop else slice(start, start + 1)
        found.append((slice(start, min(start + size, count)), filled))
    return found


def _own_rows(count: int, parts: int, group: Group) -> NDArray[np.int64]:
    """Returns the rows of a batch that this process computes, part by part."""
    rows = [np.arange(own.start, own.stop) for _, own in _slices(count, parts, group)]
    return np.concatenate(rows)


def image_loader(
    built: BuiltRun,
    seed: int,
    epochs: int,
    sampling_weights: NDArray[np.float64] | None = None,
    chosen: NDArray[np.int64] | None = None,
) -> ImageLoader:
    """Returns the loader of a run's training images.

    Args:
        built: Built parts of the run.
        seed: Seed of the order and of the augmentation's random numbers.
        epochs: Number of epochs of the training.
        sampling_weights: (K,) relative frequency of drawing each class; None: as the run draws.
        chosen: (M,) indices of the images that are trained on; None: all.

    Raises:
        PluginError: The weights are not those of a `ltbench.protocols.Sampling`.
    """
    weights = built.sampling_weights if sampling_weights is None else sampling_weights
    return ImageLoader(
        built.dataset,
        built.augmentation,
        built.context.resolution,
        built.loader_config,
        seed,
        epochs,
        None if weights is None else scaled(weights, built.dataset),
        chosen,
    )
