"""The built parts of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.config.runspec import Choice
from ltbench.contexts import BuildContext
from ltbench.data import Dataset
from ltbench.data.loading.batches import Batches, LoaderConfig
from ltbench.engine.building.checked_components import (
    CheckedAugmentation,
    CheckedInference,
    CheckedLoss,
)
from ltbench.engine.building.checked_optimizer import CheckedOptimizer, CheckedSchedule
from ltbench.engine.building.inference_batches import InferenceBatches
from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.feature_extractor import FeatureExtractor
from ltbench.engine.model.precision import PrecisionPolicy
from ltbench.engine.model.split_features import SplitFeatures
from ltbench.engine.model.training_image_features import ExtractedFeatures
from ltbench.protocols import Refinement


@dataclass(frozen=True)
class TrainingRules:
    """The parts of a training that depend on the class counts.

    Args:
        loss: Loss.
        sampling_weights: (K,) relative frequency of drawing each class; None: every image once.
    """

    loss: CheckedLoss
    sampling_weights: NDArray[np.float64] | None


@dataclass(frozen=True)
class BuiltRun:
    """The built parts of a run, on their device.

    Args:
        dataset: Data set of the run.
        model: Classifier that is trained and evaluated.
        loss: Loss of the training.
        sampling_weights: (K,) relative frequency of drawing each class; None: every image once.
        rules_of: Function that builds loss and sampling for other numbers of images of the K
            classes, for a training that leaves images out.
        augmentation: Augmentation of the training images.
        refinement: Second stage of the run; None for none.
        inference: Views of an evaluated image, and their reduction to logits.
        context: Facts that the components were built from.
        loader_config: Device, and how images reach it.
        policy: Precision of forward passes.
        extractor: Feature extractor of the encoder.
        frozen: Feature extractor that caches the outputs of the encoder's frozen part; None where
            all of it is learned, or nothing.
        features: Features of the training images.
        choices: Chosen component of each kind.
        backbone_parameters: Number of weights of the image encoder before the method added some.
        fingerprint: Fingerprint of the backbone's weights before method and head changed them.
        pretrained: Checksum of each of the backbone's tensors before that, by name in the model.
        warnings: Sentences on what limits the meaning of the result.
        compiled: Whether the backbone's blocks are compiled.
    """

    dataset: Dataset
    model: Classifier
    loss: CheckedLoss
    sampling_weights: NDArray[np.float64] | None
    rules_of: Callable[[tuple[int, ...]], TrainingRules]
    augmentation: CheckedAugmentation
    optimizer: CheckedOptimizer
    schedule: CheckedSchedule
    refinement: Refinement | None
    inference: CheckedInference
    context: BuildContext
    loader_config: LoaderConfig
    policy: PrecisionPolicy
    extractor: FeatureExtractor
    frozen: FeatureExtractor | None
    features: ExtractedFeatures
    choices: Mapping[str, Choice]
    backbone_parameters: int
    fingerprint: str
    pretrained: Mapping[str, int]
    warnings: list[str]
    compiled: bool = False

    def evaluation_batches(self, split: str) -> Batches:
        """Returns batches of the inference's views of a split."""
        return InferenceBatches(
            self.dataset, split, self.inference, self.context.resolution, self.loader_config
        )

    def evaluation_features(self, batches: Batches) -> SplitFeatures:
        """Returns the features of the inference's views of a split."""
        views = {"inference": described(self.choices["inference"])}
        num_views = self.inference.num_views(self.context.resolution)
        if self.frozen is not None:
            found = self.frozen.features(batches, views, num_views=num_views)
            if found.cached is not None:
                return found
        return self.extractor.features(batches, views, num_views=num_views)


def described(choice: Choice) -> dict[str, Any]:
    """Returns name, options and plugin of a component: a cache key without its identity."""
    return {"name": choice.name, "options": dict(choice.options), "plugin": choice.plugin}
