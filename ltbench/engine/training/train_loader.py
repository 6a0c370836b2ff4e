"""The training images of a run, epoch by epoch: drawn, cut out, changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltbench.data import Dataset
from ltbench.data.loading.batches import Batch, Batches, LoaderConfig, Order
from ltbench.data.randomness import drawn, shuffled, uniforms
from ltbench.engine.build.checked_components import CheckedAugmentation
from ltbench.engine.model.classifier import Classifier
from ltbench.protocols import Targets
from ltbench.views import Views


class TrainLoader(Protocol):
    """What a training goes through, epoch by epoch: images, or their features."""

    @property
    def seed(self) -> int:
        """Of the order, and of whatever else is drawn."""
        ...

    @property
    def skipped(self) -> set[int]:
        """Indices of the corrupt images that were left out so far."""
        ...

    def __len__(self) -> int:
        """Images an epoch."""
        ...

    def close(self) -> None:
        """Lets go of the processes that wait for another epoch."""

    def epoch(self, epoch: int, batch_size: int) -> Iterator[tuple[Tensor, Targets]]:
        """Yields what the model gets of each batch, and its targets."""
        ...

    def logits(self, model: Classifier, inputs: Tensor) -> Tensor:
        """Returns what a model says about a part of a batch, (B, K)."""
        ...


@dataclass
class ImageLoader:
    """Batches of training images and what they show.

    Args:
        dataset: The data set.
        augmentation: Which part of an image is seen, and how it is changed.
        resolution: R.
        loader_config: How images reach the device.
        seed: Of the order and of what the augmentation draws.
        epochs: How many there will be.
        sampling_weights: (K,) how often each class is drawn; None: every image once.

    Attributes:
        batches: What makes batches of them.
        skipped: Indices of the corrupt images that were left out so far.
    """

    dataset: Dataset
    augmentation: CheckedAugmentation
    resolution: int
    loader_config: LoaderConfig
    seed: int
    epochs: int
    sampling_weights: NDArray[np.float64] | None
    batches: Batches = field(init=False)

    def __post_init__(self) -> None:
        self.batches = Batches(
            self.dataset, "train", self._views, self.resolution, self.loader_config
        )

    def __len__(self) -> int:
        """Images an epoch."""
        return len(self.batches.split)

    @property
    def skipped(self) -> set[int]:
        """Indices of the corrupt images that were left out so far."""
        return self.batches.skipped

    def epoch(self, epoch: int, batch_size: int) -> Iterator[tuple[Tensor, Targets]]:
        """Yields images (B, 3, R, R) in 0..255 and their targets, batch by batch."""
        for batch in self.batches.of(self.orders(epoch, batch_size)):
            yield self._changed(batch, epoch)

    def close(self) -> None:
        """Ends the loader workers that wait for another epoch."""
        self.batches.close()

    def orders(self, epoch: int, batch_size: int) -> Iterator[Order]:
        """Yields the draws of each batch of an epoch."""
        for part in torch.split(torch.from_numpy(self._order(epoch)), batch_size):
            yield epoch, part.numpy()

    def logits(self, model: Classifier, inputs: Tensor) -> Tensor:
        """Returns what a model says about some of these images, (B, K)."""
        logits: Tensor = model(inputs)
        return logits

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if self.sampling_weights is None:
            return shuffled(self.seed, epoch, len(self))
        return drawn(self.seed, epoch, self.batches.split.labels, self.sampling_weights)

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
