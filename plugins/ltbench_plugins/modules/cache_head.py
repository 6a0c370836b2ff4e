"""Head of Tip-Adapter: zero-shot logits plus votes of similar training images."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench.backbone import Backbone
from ltbench.protocols import TrainingFeatures


class CacheHead(nn.Module):
    """Logits s * cos(x, w_k) + alpha * sum_m exp(-beta (1 - cos(x, f_m))), m of class k.

    The class weights w (K, width) are frozen. The keys f (M, width), which start as the normalised
    features of training images, are learned if the run has epochs.

    Args:
        num_classes: Number of classes K.
        width: Length of a feature vector.
        scale: Factor s of the cosine logits.
        alpha: Weight of the votes.
        beta: Decay of a vote with the distance.
        per_class: Maximum number of training images of a class.
    """

    keys: nn.Parameter
    labels: Tensor

    def __init__(
        self,
        num_classes: int,
        width: int,
        scale: float,
        alpha: float,
        beta: float,
        per_class: int,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_classes, width), requires_grad=False)
        self.scale = scale
        self.alpha = alpha
        self.beta = beta
        self.per_class = per_class

    def start(self, backbone: Backbone, features: TrainingFeatures) -> None:
        """Fills the cache with features of training images."""
        keys, labels = features(self.per_class)
        self.keys = nn.Parameter(F.normalize(keys.clone(), dim=-1))
        self.register_buffer("labels", labels.clone(), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Returns the logits, (B, K), of features (B, width)."""
        unit = F.normalize(features, dim=-1)
        logits = self.scale * F.linear(unit, F.normalize(self.weight, dim=-1))
        votes = torch.exp(-self.beta * (1 - F.linear(unit, self.keys)))
        return logits.index_add(1, self.labels, votes, alpha=self.alpha)
