"""Linear map between features and classifier, mixed with the features themselves."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LinearAdapter(nn.Module):
    """Features a W x + (1 - a) x; W (width, width) is the identity at first, and frozen.

    Args:
        width: Length of a feature vector.
        ratio: Share a of the adapted features.
    """

    def __init__(self, width: int, ratio: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.eye(width), requires_grad=False)
        self.ratio = ratio

    def forward(self, features: Tensor) -> Tensor:
        """Returns the mixed features, (B, width)."""
        return torch.lerp(features, F.linear(features, self.weight), self.ratio)

    @torch.no_grad()
    def start(self, seed: int) -> None:
        """Draws W as `nn.Linear` does, uniform in +-1 / sqrt(width)."""
        generator = torch.Generator().manual_seed(seed)
        bound = len(self.weight) ** -0.5
        drawn = torch.empty(self.weight.shape).uniform_(-bound, bound, generator=generator)
        self.weight.copy_(drawn)
