"""The features of a split's views, whether they are cached or computed when they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, tee

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltbench.data.loading.batches import Batch, Batches, Order
from ltbench.data.loading.transfer import to_device


@dataclass(frozen=True)
class FeatureBatch:
    """Features of some images, on the device.

    Args:
        features: (B, V, width) float32 features of the V views of each image.
        labels: (B,) class ids.
        indices: (B,) indices into the split.
    """

    features: Tensor
    labels: Tensor
    indices: Tensor


@dataclass(frozen=True)
class SplitFeatures:
    """Features of the views of some or all images of a split.

    Args:
        batches: Views of the split's images.
        epoch: Epoch that the views belong to.
        indices: (M,) indices of the images, in the order of `whole` and of the iteration.
        images_per_pass: Number of images that go through the encoder at the same time.
        encode: Function from a batch of views to their features (B, V, width), or to the outputs
            of a part of the encoder (B, V, ...).
        rest: Function from the outputs of the part to the features (B, V, width); None where
            `encode` returns the result.
        cached: Outputs of `encode` for the images of `held`, on the device; None: computed when
            read.
        held: (H,) indices of the images whose outputs are cached; None: `indices`.
    """

    batches: Batches
    epoch: int
    indices: NDArray[np.int64]
    images_per_pass: int
    encode: Callable[[Batch], Tensor]
    rest: Callable[[Tensor], Tensor] | None = None
    cached: Tensor | None = None
    held: NDArray[np.int64] | None = None

    def __iter__(self) -> Iterator[FeatureBatch]:
        """Yields the features of all the images, pass by pass.

        Corrupt images are left out where the batches skip them.
        """
        parts = torch.split(torch.from_numpy(self.indices), self.images_per_pass)
        return self.of((self.epoch, part.numpy()) for part in parts)

    def of(self, orders: Iterable[Order]) -> Iterator[FeatureBatch]:
        """Yields the features of a batch of images for each order.

        Args:
            orders: Epoch and draws of each batch; a cached view is that of `epoch` in any case.
        """
        if self.cached is None:
            yield from self._computed(orders)
            return
        size, device, row_of = len(self.batches.split), self.cached.device, self._rows()
        for _, draws in orders:
            at = draws % size
            rows = to_device(row_of[at], device)
            indices = to_device(at, device)
            features = self._finished(self.cached[rows])
            yield FeatureBatch(features, self.batches.labels[indices], indices)

    def _rows(self) -> NDArray[np.int64]:
        """Returns the row of each image of the split in `cached`, (N,); 0 for one without a row."""
        held = self.indices if self.held is None else self.held
        row_of = np.zeros(len(self.batches.split), dtype=np.int64)
        row_of[held] = np.arange(len(held))
        return row_of

    def _finished(self, outputs: Tensor) -> Tensor:
        return outputs if self.rest is None else self.rest(outputs)

    def _computed(self, orders: Iterable[Order]) -> Iterator[FeatureBatch]:
        """Yields the features of each order; of several processes, each computes whole orders.

        A pass has the same images as in one process, so that its features have the same bits.
        """
        batches, group = self.batches, self.batches.loader_config.group
        every, given = tee(orders)
        own = batches.aligned(islice(given, group.rank, None, group.size))
        while number := len(list(islice(every, group.size))):
            batch = next(own) if group.rank < number else None
            found = None
            if batch is not None:
                found = self._finished(self.encode(batch)), batch.labels, batch.indices
            if batches.loader_config.skip_corrupt:
                batches.share_skipped()
            for columns in group.gather_parts(found):
                yield FeatureBatch(*columns)
        next(own, None)  # ends the pass, so that its loader workers are kept for the next one

    def whole(self) -> tuple[Tensor, Tensor]:
        """Returns the features (M, V, width) and labels (M,) of all the images at once.

        M is smaller where corrupt images are left out; both are empty where none is left.
        """
        if self.cached is not None and self.rest is None:
            indices = torch.from_numpy(self.indices).to(self.cached.device)
            labels = self.batches.labels[indices]
            if self.held is None or np.array_equal(self.held, self.indices):
                return self.cached, labels
            rows = torch.from_numpy(self._rows()[self.indices]).to(indices.device)
            return self.cached[rows], labels
        found = [(batch.features, batch.labels) for batch in self]
        if not found:
            return torch.empty(0), self.batches.labels[:0]
        features, classes = zip(*found, strict=True)
        return torch.cat(features), torch.cat(classes)
