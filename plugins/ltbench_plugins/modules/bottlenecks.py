"""Bottlenecks after and beside the MLP of a block: Adapter and AdaptFormer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ltbench.backbone import Block


class Bottleneck(nn.Module):
    """up(relu(down(LN(x)))) of x (B, N, width); `up` starts at 0, so the initial output is 0."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.down = nn.Linear(width, dim)
        self.up = nn.Linear(dim, width)
        nn.init.kaiming_uniform_(self.down.weight, a=math.sqrt(5))
        nn.init.zeros_(self.down.bias)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the summand, (B, N, width)."""
        added: Tensor = self.up(torch.relu(self.down(self.norm(x))))
        return added


class SequentialAdapter(Bottleneck):
    """A bottleneck after a block's MLP, whose output m becomes m + up(relu(down(LN(m))))."""

    def attach(self, block: Block) -> Iterator[nn.Parameter]:
        """Adds the module to a block and returns its learned parameters."""
        block.module.add_module("adapter", self)
        block["mlp_out"].register_forward_hook(self._add)
        return self.parameters()

    def _add(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        return output + self.forward(output)


class ParallelAdapter(Bottleneck):
    """A bottleneck beside a block's MLP: MLP(LN2(h)) + s * up(relu(down(LN(h)))).

    h (B, N, width) is the residual stream before the block's second norm.

    Args:
        width: Width of the residual stream.
        dim: Width of the bottleneck.
        scale: The number s; None: s is learned and starts at 1.
    """

    def __init__(self, width: int, dim: int, scale: float | None = None) -> None:
        super().__init__(width, dim)
        self.scale = nn.Parameter(torch.ones(())) if scale is None else scale
        self._residual: Tensor | None = None

    def attach(self, block: Block) -> Iterator[nn.Parameter]:
        """Adds the module to a block: reads the input of its second norm, adds after its MLP."""
        block.module.add_module("adaptformer", self)
        block["norm2"].register_forward_pre_hook(self._capture)
        block["mlp_end"].register_forward_hook(self._add)
        return self.parameters()

    def _capture(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        self._residual = args[0]

    def _add(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        assert self._residual is not None
        residual, self._residual = self._residual, None
        return output + self.scale * self.forward(residual)
