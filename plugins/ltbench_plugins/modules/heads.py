"""Classifiers from features (B, width) to logits (B, K)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CosineHead(nn.Module):
    """Logits s * cos(x, w_k), with a fixed s."""

    def __init__(self, num_classes: int, width: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_classes, width))
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        """Returns the logits, (B, K)."""
        return self.scale * F.linear(F.normalize(features, dim=-1), F.normalize(self.weight))


class LinearHead(nn.Module):
    """Logits w_k . x + b_k; b starts at 0."""

    def __init__(self, num_classes: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_classes, width))
        self.bias = nn.Parameter(torch.zeros(num_classes))

    def forward(self, features: Tensor) -> Tensor:
        """Returns the logits, (B, K)."""
        return F.linear(features, self.weight, self.bias)


class L2NormHead(nn.Module):
    """Logits x . w_k / norm(w_k)."""

    def __init__(self, num_classes: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_classes, width))

    def forward(self, features: Tensor) -> Tensor:
        """Returns the logits, (B, K)."""
        return F.linear(features, F.normalize(self.weight))


class LayerNormHead(L2NormHead):
    """Logits LayerNorm(x) . w_k / norm(w_k); the norm has no weight, no bias, eps 1e-12."""

    def forward(self, features: Tensor) -> Tensor:
        """Returns the logits, (B, K)."""
        return super().forward(F.layer_norm(features, features.shape[-1:], eps=1e-12))
