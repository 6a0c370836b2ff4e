"""LoRA modules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ltbench.backbone import Block
from ltbench_plugins.modules.merging import remove_hook, weight_of


class LowRank(nn.Module):
    """x A B / r: A (width, r) is random, B (r, width) starts at 0, so the initial output is 0.

    A is kaiming-uniform with a = sqrt(5), for which PyTorch uses r as the fan-in of a (width, r)
    tensor: uniform in +-1/sqrt(r), as in the reference code, and not in +-1/sqrt(width).
    """

    def __init__(self, width: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.empty(width, rank))
        self.up = nn.Parameter(torch.zeros(rank, width))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """Returns the summand, (..., width)."""
        return x @ self.down / self.down.shape[1] @ self.up

    def weight(self) -> Tensor:
        """Returns the summand as the weight of a Linear, (width, width)."""
        return (self.down / self.down.shape[1] @ self.up).T


class AttentionLoRA(nn.ModuleDict):
    """Low-rank terms beside some of the q, k, v and output projections of a block's attention."""

    def __init__(self, width: int, rank: int, targets: Sequence[str]) -> None:
        super().__init__({target: LowRank(width, rank) for target in targets})

    def attach(self, block: Block) -> Iterator[nn.Parameter]:
        """Adds the module to a block and returns its learned parameters."""
        block.module.add_module("lora", self)
        if any(target in self for target in "qkv"):
            block["qkv"].register_forward_hook(self._add_to_qkv)
        if "out" in self:
            block["attn_out"].register_forward_hook(self._add_to_out)
        return self.parameters()

    @torch.no_grad()
    def merge(self, block: Block) -> None:
        """Adds the terms to the weights of the projections, and leaves the block."""
        if any(target in self for target in "qkv"):
            qkv = weight_of(block["qkv"])
            for name, rows in zip("qkv", qkv.chunk(3), strict=True):
                if name in self:
                    rows += self._term(name).weight()
            remove_hook(block["qkv"], self._add_to_qkv)
        if "out" in self:
            weight_of(block["attn_out"]).add_(self._term("out").weight())
            remove_hook(block["attn_out"], self._add_to_out)
        del block.module.lora

    def _term(self, target: str) -> LowRank:
        term = self[target]
        assert isinstance(term, LowRank)
        return term

    def _add_to_qkv(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        chunks = zip("qkv", output.chunk(3, dim=-1), strict=True)
        return torch.cat(
            [chunk + self[name](args[0]) if name in self else chunk for name, chunk in chunks], -1
        )

    def _add_to_out(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        added: Tensor = self["out"](args[0])
        return output + added
