"""Placeholders for the features of training images that are not read."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ltbench.contexts import BuildContext


@dataclass(frozen=True)
class PlaceholderFeatures:
    """Random unit vectors, as many a class as a run had; see `ltbench.protocols.TrainingFeatures`.

    A head of a stored model starts from them, so that its tensors have their shapes. The stored
    values are loaded into these tensors afterwards.

    Args:
        class_counts: (K,) training images of each class.
        width: Length of a feature vector.
        device: Device of the tensors.
    """

    class_counts: tuple[int, ...]
    width: int
    device: str

    @classmethod
    def of(cls, context: BuildContext) -> PlaceholderFeatures:
        """Returns the placeholders for a run with these classes."""
        return cls(context.class_counts, context.width, context.device)

    def __call__(self, per_class: int | None = None) -> tuple[Tensor, Tensor]:
        """Returns features (M, width) and labels (M,) of at most `per_class` images a class."""
        counts = torch.tensor(self.class_counts)
        if per_class is not None:
            counts = counts.clamp(max=per_class)
        labels = torch.arange(len(counts)).repeat_interleave(counts)
        generator = torch.Generator().manual_seed(0)
        vectors = torch.randn(len(labels), self.width, generator=generator)
        features = torch.nn.functional.normalize(vectors, dim=-1)
        return features.to(self.device), labels.to(self.device)
