"""The training images of a run, epoch by epoch: drawn, cut out, changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltbench.data import Dataset
from ltbench.data.batches import Batch, Batches, Loading
from ltbench.data.randomness import drawn, shuffled, uniforms
from ltbench.engine.seams import CheckedAugmentation
from ltbench.protocols import Targets
from ltbench.views import Views


@dataclass
class TrainingStream:
    """Batches of training images and what they show.

    Args:
        dataset: The data set.
        augmentation: Which part of an image is seen, and how it is changed.
        resolution: R.
        loading: How images reach the device.
        seed: Of the order and of what the augmentation draws.
        epochs: How many there will be.
        class_weights: (K,) how often each class is drawn; None: every image once.

    Attributes:
        skipped: Indices of the corrupt images that were left out so far.
    """

    dataset: Dataset
    augmentation: CheckedAugmentation
    resolution: int
    loading: Loading
    seed: int
    epochs: int
    class_weights: NDArray[np.float64] | None
    _batches: Batches = field(init=False)

    def __post_init__(self) -> None:
        self._batches = Batches(self.dataset, "train", self._views, self.resolution, self.loading)

    def __len__(self) -> int:
        """Images an epoch."""
        return len(self._batches.split)

    @property
    def skipped(self) -> set[int]:
        """Indices of the corrupt images that were left out so far."""
        return self._batches.skipped

    def epoch(self, epoch: int, batch_size: int) -> Iterator[tuple[Tensor, Targets]]:
        """Yields images (B, 3, R, R) in 0..255 and their targets, batch by batch."""
        parts = torch.split(torch.from_numpy(self._order(epoch)), batch_size)
        for batch in self._batches.of((epoch, part.numpy()) for part in parts):
            yield self._changed(batch, epoch)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if self.class_weights is None:
            return shuffled(self.seed, epoch, len(self))
        return drawn(self.seed, epoch, self._batches.split.labels, self.class_weights)

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
