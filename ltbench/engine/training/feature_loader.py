"""The training images of a run as features of a frozen encoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ltbench.engine.building.built_run import BuiltRun, described
from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.feature_extractor import FeatureExtractor
from ltbench.engine.model.split_features import SplitFeatures
from ltbench.engine.training.train_loader import (
    ImageLoader,
    Part,
    TrainLoader,
    in_parts,
    own_inputs,
)
from ltbench.protocols import Targets


@dataclass
class FeatureLoader:
    """Batches of features and targets: those of the same images in the same order.

    Args:
        loader: Loader of the images, of which an epoch shows one view each, with unchanged pixels.
        extractor: Feature extractor of the encoder.
        augmentation: Name, options and plugin of the augmentation, which decides the views.
    """

    loader: ImageLoader
    extractor: FeatureExtractor
    augmentation: Mapping[str, Any]
    _latest: tuple[int, SplitFeatures] | None = field(default=None, init=False)

    @classmethod
    def fits(cls, loader: ImageLoader, extractor: FeatureExtractor) -> bool:
        """Returns whether a training on features equals the training on their images."""
        augmentation = loader.augmentation
        sees_once = loader.sampling_weights is None or not augmentation.draws
        return sees_once and not augmentation.changes_pixels and extractor.same_in_training

    @property
    def seed(self) -> int:
        """Seed of the order and of the augmentation's random numbers."""
        return self.loader.seed

    def __len__(self) -> int:
        """Returns the number of images in an epoch."""
        return len(self.loader)

    @property
    def skipped(self) -> Mapping[int, str]:
        """Messages about the corrupt images left out so far, by index."""
        return self.loader.skipped

    def close(self) -> None:
        """Ends the loader workers that wait for another epoch."""
        self.loader.close()

    def epoch(self, epoch: int, batch_size: int, parts: int = 1) -> Iterator[Sequence[Part]]:
        """Yields each batch of features (B, width), and their targets, in equal parts."""
        group = self.loader.loader_config.group
        for batch in self._features(epoch).of(self.loader.orders(epoch, batch_size)):
            features = batch.features[:, 0]
            # The encoder's output is an inference tensor, which autograd cannot save.
            features = features.clone() if features.is_inference() else features
            own = own_inputs(features, parts, group)
            yield in_parts(own, Targets(batch.labels), parts, group)

    def logits(self, model: Classifier, inputs: Tensor) -> Tensor:
        """Returns the model's logits (B, K) of features (B, width)."""
        return model.classify(inputs)

    def _features(self, epoch: int) -> SplitFeatures:
        """Returns the features of the one view of each image that an epoch shows."""
        views: dict[str, Any] = {"augmentation": dict(self.augmentation)}
        if self.loader.augmentation.draws:
            views |= {"seed": self.seed, "epoch": epoch, "epochs": self.loader.epochs}
        else:  # the view is the same in every epoch
            epoch = 0
        if self._latest is None or self._latest[0] != epoch:
            features = self.extractor.features(self.loader.batches, views, epoch=epoch)
            self._latest = epoch, features
        return self._latest[1]


def training_loader(built: BuiltRun, loader: ImageLoader) -> TrainLoader:
    """Returns a loader of the images' features if the encoder is frozen, else the images'.

    Args:
        built: Built parts of the run.
        loader: Loader of the training images.
    """
    frozen = built.extractor.state == "frozen" and not built.model.encoder_learns
    if not frozen or not FeatureLoader.fits(loader, built.extractor):
        return loader
    return FeatureLoader(loader, built.extractor, described(built.choices["augmentation"]))
