"""The training images of a run as features of an encoder that nothing trains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.feature_extractor import FeatureExtractor
from ltbench.engine.training.train_loader import ImageLoader
from ltbench.protocols import Targets


@dataclass
class FeatureLoader:
    """Batches of features and what their images show: the same images in the same order.

    Args:
        loader: The images, of which an epoch shows one view each, unchanged.
        extractor: Of the encoder.
        augmentation: Name, options and plugin of what cuts the views out.
    """

    loader: ImageLoader
    extractor: FeatureExtractor
    augmentation: Mapping[str, Any]
    _kept: tuple[int, Tensor | None] | None = field(default=None, init=False)

    @classmethod
    def fits(cls, loader: ImageLoader, extractor: FeatureExtractor) -> bool:
        """Returns whether features say all that a training learns from."""
        augmentation = loader.augmentation
        sees_once = loader.sampling_weights is None or not augmentation.draws
        return sees_once and not augmentation.changes_pixels and extractor.same_in_training

    @property
    def seed(self) -> int:
        """Of the order and of what the augmentation draws."""
        return self.loader.seed

    def __len__(self) -> int:
        """Images an epoch."""
        return len(self.loader)

    @property
    def skipped(self) -> set[int]:
        """Indices of the corrupt images that were left out so far."""
        return self.loader.skipped

    def close(self) -> None:
        """Ends the loader workers that wait for another epoch."""
        self.loader.close()

    def epoch(self, epoch: int, batch_size: int) -> Iterator[tuple[Tensor, Targets]]:
        """Yields features (B, width) and their targets, batch by batch."""
        features = self._features(epoch)
        batches = self.loader.batches
        if features is None:
            for batch in batches.of(self.loader.orders(epoch, batch_size)):
                yield self.extractor.of(batch)[:, 0].clone(), Targets(batch.labels)
            return
        for _, draws in self.loader.orders(epoch, batch_size):
            at = torch.from_numpy(draws % len(self)).to(features.device)
            yield features[at], Targets(batches.labels[at])

    def logits(self, model: Classifier, inputs: Tensor) -> Tensor:
        """Returns what a model says about some of these features, (B, K)."""
        return model.classify(inputs)

    def _features(self, epoch: int) -> Tensor | None:
        """Returns the features of what an epoch shows of each image, (N, width)."""
        views: dict[str, Any] = {"augmentation": dict(self.augmentation)}
        if self.loader.augmentation.draws:
            views |= {"seed": self.seed, "epoch": epoch, "epochs": self.loader.epochs}
        else:  # the same in every epoch
            epoch = 0
        if self._kept is None or self._kept[0] != epoch:
            found = self.extractor.kept(self.loader.batches, views, epoch=epoch)
            self._kept = epoch, None if found is None else found[:, 0]
        return self._kept[1]
