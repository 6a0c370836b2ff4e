"""Features of training images, for what looks at them: inits, heads, refinements."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ltbench.data import Dataset
from ltbench.data.loading.batches import Batches
from ltbench.data.randomness import at_most
from ltbench.engine.build.checked_components import one_view
from ltbench.engine.model.feature_extractor import FeatureExtractor
from ltbench.errors import DataError
from ltbench.views import Views, center_square


@dataclass(frozen=True)
class ExtractedFeatures:
    """The encoder's features of training images; see `ltbench.protocols.TrainingFeatures`.

    Args:
        dataset: With the training images.
        extractor: Of the encoder.
        seed: The run's seed, which draws the images of a class that has too many.
    """

    dataset: Dataset
    extractor: FeatureExtractor
    seed: int

    @torch.inference_mode()
    def __call__(self, per_class: int | None = None) -> tuple[Tensor, Tensor]:
        """Returns features (M, width) and labels (M,) of at most `per_class` images a class."""
        labels, counts = self.dataset.splits["train"].labels, self.dataset.class_counts
        most = int(counts.max()) if per_class is None else per_class
        chosen = at_most(self.seed, labels, counts, most)
        batches = Batches(
            self.dataset,
            "train",
            lambda sizes, epoch, draws: one_view(Views(center_square(sizes))),
            self.extractor.backbone.resolution,
            self.extractor.loader_config,
        )
        kept = self.extractor.kept(batches, {"views": "centre"}, of=chosen)
        if kept is not None:
            return kept[:, 0], batches.labels[torch.from_numpy(chosen).to(kept.device)]
        self.extractor.backbone.eval()
        features, found = [], []
        parts = torch.split(torch.from_numpy(chosen), self.extractor.views_per_pass)
        for batch in batches.of((0, part.numpy()) for part in parts):
            features.append(self.extractor.of(batch)[:, 0])
            found.append(batch.labels)
        if not features:
            raise DataError("no training image can be decoded", hint="check the data set's files")
        return torch.cat(features), torch.cat(found)
