"""Data loaders of the training images: drawn, cropped and augmented, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltbench.data import Dataset
from ltbench.data.loading.batches import Batch, Batches, LoaderConfig, Order
from ltbench.data.randomness import draw_epoch, shuffle_epoch, uniforms
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.building.checked_components import CheckedAugmentation
from ltbench.engine.building.sampling_weights import scaled
from ltbench.engine.model.classifier import Classifier
from ltbench.protocols import Targets
from ltbench.views import Views


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

    def epoch(self, epoch: int, batch_size: int) -> Iterator[tuple[Tensor, Targets]]:
        """Yields the model's input of each batch, and its targets."""
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

    def epoch(self, epoch: int, batch_size: int) -> Iterator[tuple[Tensor, Targets]]:
        """Yields images (B, 3, R, R) in 0..255 and their targets, batch by batch."""
        for batch in self.batches.of(self.orders(epoch, batch_size)):
            yield self._changed(batch, epoch)

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

    def _changed(self, batch: Batch, epoch: int) -> tuple[Tensor, Targets]:
        images = batch.views[:, 0]
        if not self.augmentation.changes_pixels:
            return images, Targets(batch.labels)
        uniforms = self._uniforms(epoch, batch.draws)
        return self.augmentation.change(images, batch.labels, uniforms)


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
