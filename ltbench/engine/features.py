"""Features of training images, for what looks at them: inits, heads, refinements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ltbench.backbone import Backbone
from ltbench.data import Dataset
from ltbench.data.batches import Batches, Loading
from ltbench.engine.precision import Arithmetic
from ltbench.engine.seams import one_view
from ltbench.errors import DataError
from ltbench.views import Views, center_square

_BATCH = 256


@dataclass(frozen=True)
class TrainingFeatures:
    """The encoder's features of training images; see `ltbench.protocols.TrainingFeatures`."""

    dataset: Dataset
    backbone: Backbone
    loading: Loading
    arithmetic: Arithmetic

    @torch.inference_mode()
    def __call__(self, per_class: int | None = None) -> tuple[Tensor, Tensor]:
        """Returns features (M, width) and labels (M,) of at most `per_class` images a class."""
        labels = self.dataset.splits["train"].labels
        order = np.argsort(labels, kind="stable")
        starts = np.cumsum(self.dataset.class_counts) - self.dataset.class_counts
        rank = np.arange(len(order)) - starts[labels[order]]
        chosen = torch.from_numpy(order if per_class is None else order[rank < per_class])
        batches = Batches(
            self.dataset,
            "train",
            lambda sizes, epoch, draws: one_view(Views(center_square(sizes))),
            self.backbone.resolution,
            self.loading,
        )
        self.backbone.eval()
        features, found = [], []
        for batch in batches.of((0, part.numpy()) for part in torch.split(chosen, _BATCH)):
            with self.arithmetic.autocast():
                values = self.backbone(self.backbone.normalize(batch.views[:, 0]))
            features.append(values.float())
            found.append(batch.labels)
        if not features:
            raise DataError("no training image can be decoded", hint="check the data set's files")
        return torch.cat(features), torch.cat(found)
