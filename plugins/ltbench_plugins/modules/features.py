"""Modules that work on the features behind the blocks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class FeatureAdapter(nn.Module):
    """CLIP-Adapter's bottleneck: relu(W_2 relu(W_1 x)) for features x (B, width)."""

    def __init__(self, width: int, reduction: int, ratio: float) -> None:
        super().__init__()
        hidden = max(1, width // reduction)
        self.down = nn.Linear(width, hidden, bias=False)
        self.up = nn.Linear(hidden, width, bias=False)
        self.ratio = ratio

    def forward(self, features: Tensor) -> Tensor:
        """Returns the adapted features, (B, width)."""
        adapted: Tensor = torch.relu(self.up(torch.relu(self.down(features))))
        return adapted

    def mix(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        """Mixes adapted features into those of the backbone that this is a forward hook of."""
        return torch.lerp(output, self(output).to(output.dtype), self.ratio)


class Offset(nn.Module):
    """Adds a learned tensor, 0 at first, to a frozen one that it parametrizes."""

    def __init__(self, like: Tensor) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.zeros_like(like))

    def forward(self, frozen: Tensor) -> Tensor:
        """Returns the sum."""
        return frozen + self.offset
