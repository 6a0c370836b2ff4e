"""The built parts of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ltbench.config.runspec import Choice
from ltbench.data import Dataset
from ltbench.data.loading.batches import Batches, LoaderConfig
from ltbench.engine.build.checked_components import (
    CheckedAugmentation,
    CheckedInference,
    CheckedLoss,
)
from ltbench.engine.build.sampling_weights import scaled
from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.feature_extractor import FeatureExtractor
from ltbench.engine.model.precision import PrecisionPolicy
from ltbench.engine.model.training_features import ExtractedFeatures
from ltbench.engine.training.feature_loader import FeatureLoader
from ltbench.engine.training.train_loader import ImageLoader, TrainLoader
from ltbench.protocols import Refinement
from ltbench.specs import BuildContext


@dataclass
class BuiltRun:
    """The built parts of a run, on their device.

    Args:
        policy: Precision of forward passes.
        extractor: Features of the encoder, where they can be kept.
        choices: The component of each kind.
        backbone_parameters: Weights of the image encoder before the method added its own.
        fingerprint: Of the backbone's weights before the method and the head saw them.
        warnings: What makes the run's result mean less than it seems to.
    """

    dataset: Dataset
    model: Classifier
    loss: CheckedLoss
    sampling_weights: NDArray[np.float64] | None
    augmentation: CheckedAugmentation
    refinement: Refinement | None
    inference: CheckedInference
    context: BuildContext
    loader_config: LoaderConfig
    policy: PrecisionPolicy
    extractor: FeatureExtractor
    features: ExtractedFeatures
    choices: Mapping[str, Choice]
    backbone_parameters: int
    fingerprint: str
    warnings: list[str]

    def loader(
        self, seed: int, epochs: int, sampling_weights: NDArray[np.float64] | None = None
    ) -> ImageLoader:
        """Returns the training images, drawn as the sampling says or by the weights of classes.

        Raises:
            PluginError: The weights are not what `ltbench.protocols.Sampling` asks for.
        """
        weights = self.sampling_weights if sampling_weights is None else sampling_weights
        return ImageLoader(
            self.dataset,
            self.augmentation,
            self.context.resolution,
            self.loader_config,
            seed,
            epochs,
            None if weights is None else scaled(weights, self.dataset),
        )

    def evaluation_batches(self, split: str) -> Batches:
        """Returns batches of the inference's views of a split."""
        inference = self.inference
        return Batches(
            self.dataset,
            split,
            lambda sizes, epoch, draws: inference.views(sizes),
            self.context.resolution,
            self.loader_config,
        )

    def encoded(self, loader: ImageLoader) -> TrainLoader:
        """Returns the training images as their features where nothing trains the encoder."""
        frozen = self.extractor.state == "frozen" and not self.model.encoder_learns
        if not frozen or not FeatureLoader.fits(loader, self.extractor):
            return loader
        return FeatureLoader(loader, self.extractor, described(self.choices["augmentation"]))

    def kept_views(self, batches: Batches) -> Tensor | None:
        """Returns the features of a split's views, (N, V, width), where they can be kept."""
        views = {"inference": described(self.choices["inference"])}
        return self.extractor.kept(batches, views, num_views=self.num_views())

    def num_views(self) -> int:
        """How many views the inference takes of an image."""
        side = self.context.resolution
        return int(self.inference.views(np.array([[side, side]])).boxes.shape[1])


def described(choice: Choice) -> dict[str, Any]:
    """Returns what tells a component from others, but for what its identity depends on."""
    return {"name": choice.name, "options": dict(choice.options), "plugin": choice.plugin}
