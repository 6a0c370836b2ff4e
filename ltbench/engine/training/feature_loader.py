"""The training images of a run as features of a frozen encoder, or outputs of its frozen part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import Tensor

from ltbench.engine.building.built_run import BuiltRun, described
from ltbench.engine.building.checked_components import CheckedAugmentation
from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.feature_extractor import PLAIN_VIEWS, FeatureExtractor
from ltbench.engine.model.split_features import SplitFeatures
from ltbench.engine.training.train_loader import (
    ImageLoader,
    Part,
    TrainLoader,
    in_parts,
    own_inputs,
)
from ltbench.errors import PluginError
from ltbench.protocols import Targets
from ltbench.views import Views, center_square

_TRIED_SIZES = 1000
_LARGEST_SIDE = 20_000  # in pixels


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
        if extractor.part is not None:  # it has been tried, and its outputs are kept once
            same = not augmentation.draws and loader.chosen is None and loader.epochs > 1
            return same and not augmentation.changes_pixels
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
        """Yields each batch, and its targets, in equal parts.

        The inputs are features (B, width), or outputs of the encoder's part (B, ...), or images
        where the cache has no room for these outputs.
        """
        if self._shows_images:
            yield from self.loader.epoch(epoch, batch_size, parts)
            return
        group = self.loader.loader_config.group
        for batch in self._features(epoch).of(self.loader.orders(epoch, batch_size)):
            features = batch.features[:, 0]
            # The encoder's output is an inference tensor, which autograd cannot save.
            features = features.clone() if features.is_inference() else features
            own = own_inputs(features, parts, group)
            yield in_parts(own, Targets(batch.labels), parts, group)

    def logits(self, model: Classifier, inputs: Tensor) -> Tensor:
        """Returns the model's logits (B, K) of a part of a batch."""
        if self._shows_images:
            return self.loader.logits(model, inputs)
        part = self.extractor.part
        return model.classify(inputs if part is None else part.rest(inputs))

    @property
    def _shows_images(self) -> bool:
        return self.extractor.part is not None and self._features(0).cached is None

    def _features(self, epoch: int) -> SplitFeatures:
        """Returns the features of the one view of each image that an epoch shows."""
        epoch = epoch if self.loader.augmentation.draws else 0  # else every epoch shows the same
        if self._latest is None or self._latest[0] != epoch:
            features = self.extractor.features(self.loader.batches, self._views(epoch), epoch=epoch)
            self._latest = epoch, replace(features, rest=None)
        return self._latest[1]

    def _views(self, epoch: int) -> Mapping[str, Any]:
        """Returns the values that the views of an epoch depend on."""
        views = {"augmentation": dict(self.augmentation)}
        if self.loader.augmentation.draws:
            return {**views, "seed": self.seed, "epoch": epoch, "epochs": self.loader.epochs}
        return PLAIN_VIEWS if is_plain(self.loader.augmentation) else views


def training_loader(built: BuiltRun, loader: ImageLoader) -> TrainLoader:
    """Returns a loader of the images' features if the encoder is frozen, else the images'.

    Args:
        built: Built parts of the run.
        loader: Loader of the training images.
    """
    augmentation = described(built.choices["augmentation"])
    if built.frozen is not None and FeatureLoader.fits(loader, built.frozen):
        return FeatureLoader(loader, built.frozen, augmentation)
    frozen = built.extractor.state != "learned" and not built.model.encoder_learns
    if not frozen or not FeatureLoader.fits(loader, built.extractor):
        return loader
    return FeatureLoader(loader, built.extractor, augmentation)


def is_plain(augmentation: CheckedAugmentation) -> bool:
    """Returns whether an augmentation without random numbers shows centred squares.

    It is compared with them for images of many sizes, in three epochs. Methods that read features
    of plain views then share them with trainings.
    """
    generator = np.random.default_rng(0)
    sizes = np.exp(generator.uniform(0, np.log(_LARGEST_SIDE), (_TRIED_SIZES, 2)))
    sizes = sizes.astype(np.int64)
    none = np.empty((_TRIED_SIZES, 0))
    plain = Views(center_square(sizes))
    try:
        shown = [augmentation.views(sizes, none, progress) for progress in (0.0, 0.5, 1.0)]
    except PluginError:  # about a size that no image of the data set has
        return False
    return all(
        np.array_equal(views.boxes[:, 0], plain.boxes)
        and (views.flips is None or not views.flips.any())
        and views.crop_first == plain.crop_first
        for views in shown
    )
