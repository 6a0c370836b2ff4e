"""Features of training images, for inits, heads and refinements."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ltbench.data import Dataset
from ltbench.data.randomness import sample_per_class
from ltbench.engine.model.feature_extractor import FeatureExtractor
from ltbench.errors import DataError


@dataclass(frozen=True)
class ExtractedFeatures:
    """The encoder's features of training images; see `ltbench.protocols.TrainingFeatures`.

    Args:
        dataset: Data set with the training images.
        extractor: Feature extractor of the encoder.
        seed: Seed of the run, which draws the images of a class that has too many.
    """

    dataset: Dataset
    extractor: FeatureExtractor
    seed: int

    @torch.inference_mode()
    def __call__(self, per_class: int | None = None) -> tuple[Tensor, Tensor]:
        """Returns features (M, width) and labels (M,) of at most `per_class` images a class."""
        labels, counts = self.dataset.splits["train"].labels, self.dataset.class_counts
        most = int(counts.max()) if per_class is None else per_class
        chosen = sample_per_class(self.seed, labels, counts, most)
        plain = self.extractor.plain_features(self.dataset, "train", chosen)
        features, found = plain.whole()
        if not len(features):
            raise DataError("no training image can be decoded", hint="check the data set's files")
        return features[:, 0], found
