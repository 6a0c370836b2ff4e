"""Modules that change the features after the blocks."""

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
        """Returns the backbone's output mixed with adapted features, as a forward hook."""
        return torch.lerp(output, self(output).to(output.dtype), self.ratio)


class Offset(nn.Module):
    """Parametrization that adds a learned tensor, 0 at first, to a frozen one."""

    def __init__(self, like: Tensor) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.zeros_like(like))

    def forward(self, frozen: Tensor) -> Tensor:
        """Returns the sum of both tensors."""
        return frozen + self.offset
