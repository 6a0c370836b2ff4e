"""Loss of the second phase of long-tailed prompt tuning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from numpy.typing import NDArray
from torch import Tensor

from ltbench import BuildContext
from ltbench_plugins.modules.clouded_logits import CloudedLogits, asymmetric_cross_entropy
from ltbench_plugins.modules.group_prompts import GroupMatching

if TYPE_CHECKING:
    import numpy as np

    from ltbench_plugins.refinements.group_prompts import GroupPromptsConfig


class DualSamplingLoss:
    """A-GCL minus matching, once for class-balanced images and once for the images as they are.

    Args:
        config: Options of both losses, and of the matching.
        ctx: Facts about the run.
        matching: Matching of the model, whose similarities are those of the latest logits.
        balanced: Weight of the first loss for an image of each class, (K,).
        instance: Weight of the second loss for an image of each class, before eta, (K,).
    """

    def __init__(
        self,
        config: GroupPromptsConfig,
        ctx: BuildContext,
        matching: GroupMatching,
        balanced: NDArray[np.float64],
        instance: NDArray[np.float64],
    ) -> None:
        self._config = config
        self._clouded = CloudedLogits.of(ctx, config.noise, config.margin)
        self._matching = matching
        self._balanced = torch.from_numpy(balanced).float().to(ctx.device)
        self._instance = torch.from_numpy(instance).float().to(ctx.device)
        self._eta = config.instance
        self._similarity: Tensor | None = None

    def start_epoch(self, progress: float) -> None:
        """Sets the weight of the images as they are."""
        self._eta = self._config.instance * (1 - progress)

    def take_extras(self) -> Tensor:
        """Returns the similarity of query and keys of the images of the latest pass, (B,)."""
        return self._matching.take_similarity()

    def set_extras(self, extras: Tensor) -> None:
        """Sets the similarities, (B,), of the images of the next batch."""
        self._similarity = extras

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Returns the mean loss of a batch."""
        assert self._similarity is not None, "expected the similarities of the batch before"
        config, smoothing = self._config, self._config.smoothing
        clouded = self._clouded(logits, labels)
        similar = config.matching * self._similarity
        balanced = asymmetric_cross_entropy(
            clouded,
            labels,
            positive=config.positive,
            negative=config.negative,
            smoothing=smoothing,
        )
        instance = asymmetric_cross_entropy(
            clouded,
            labels,
            positive=config.instance_positive,
            negative=config.instance_negative,
            smoothing=smoothing,
        )
        first = self._balanced[labels] * (balanced - similar)
        second = self._eta * self._instance[labels] * (instance - similar)
        return (first + second).mean()
