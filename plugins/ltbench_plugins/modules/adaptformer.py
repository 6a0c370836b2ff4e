"""The AdaptFormer module."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from ltbench.backbone import Block


class ParallelAdapter(nn.Module):
    """A bottleneck beside a block's MLP: MLP(x) + s * up(relu(down(LN(h)))).

    h (B, N, width) is the residual stream before the block's second norm; s is learned and starts
    at 1; `up` starts at 0, so that the backbone starts as it was.
    """

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.down = nn.Linear(width, dim)
        self.up = nn.Linear(dim, width)
        self.scale = nn.Parameter(torch.ones(()))
        nn.init.kaiming_uniform_(self.down.weight, a=math.sqrt(5))
        nn.init.zeros_(self.down.bias)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)
        self._residual: Tensor | None = None

    def attach(self, block: Block) -> None:
        """Becomes a part of a block: listens before its second norm, adds after its MLP."""
        block.module.add_module("adaptformer", self)
        block["norm2"].register_forward_pre_hook(self._listen)
        block["mlp_end"].register_forward_hook(self._add)

    def forward(self, residual: Tensor) -> Tensor:
        """Returns what is added to the MLP's output."""
        hidden = torch.relu(self.down(self.norm(residual)))
        added: Tensor = self.scale * self.up(hidden)
        return added

    def _listen(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        self._residual = args[0]

    def _add(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        assert self._residual is not None
        residual, self._residual = self._residual, None
        return output + self.forward(residual)
