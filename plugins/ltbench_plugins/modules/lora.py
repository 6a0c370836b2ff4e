"""LoRA modules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ltbench.backbone import Block, Role
from ltbench.errors import NothingMatchedError
from ltbench_plugins.modules.merging import remove_hook, weight_of

_ROLES: dict[str, Role] = {"out": "attn_out", "mlp_in": "mlp_in", "mlp_out": "mlp_out"}
"""Linears that have one term for all of their outputs, by target."""


class LowRank(nn.Module):
    """x A B / r: A (inputs, r) is random, B (r, outputs) starts at 0, so the initial output is 0.

    A is kaiming-uniform with a = sqrt(5), for which PyTorch uses r as the fan-in of an (inputs, r)
    tensor: uniform in +-1/sqrt(r), as in the reference code, and not in +-1/sqrt(inputs).
    """

    def __init__(self, inputs: int, rank: int, outputs: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.empty(inputs, rank))
        self.up = nn.Parameter(torch.zeros(rank, outputs))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """Returns the summand, (..., outputs)."""
        return x @ self.down / self.down.shape[1] @ self.up

    def weight(self) -> Tensor:
        """Returns the summand as the weight of a Linear, (outputs, inputs)."""
        return (self.down / self.down.shape[1] @ self.up).T

    def add(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        """Adds the summand to the output of a Linear: a forward hook."""
        return output + self.forward(args[0])


class BlockLoRA(nn.ModuleDict):
    """Low-rank terms beside some of a block's Linears: q, k, v, out, mlp_in, mlp_out.

    q, k and v have a term each, although their Linear is one. The gate and the value of a gated MLP
    (SwiGLU) are one Linear, `mlp_in`, and share its term.

    Raises:
        NothingMatchedError: A target of the block is not a Linear.
    """

    def __init__(self, block: Block, rank: int, targets: Sequence[str]) -> None:
        super().__init__()
        for target in targets:
            linear = block[_ROLES.get(target, "qkv")]
            if not isinstance(linear, nn.Linear):
                raise NothingMatchedError(
                    f"method.targets: {target} of {type(block.module).__name__} blocks is a "
                    f"{type(linear).__name__}, and LoRA expects a Linear",
                    hint="leave it out of method.targets",
                )
            parts = 1 if target in _ROLES else 3
            self[target] = LowRank(linear.in_features, rank, linear.out_features // parts)

    def attach(self, block: Block) -> Iterator[nn.Parameter]:
        """Adds the module to a block and returns its learned parameters."""
        block.module.add_module("lora", self)
        if any(target in self for target in "qkv"):
            block["qkv"].register_forward_hook(self._add_to_qkv)
        for target, role in self._single():
            block[role].register_forward_hook(self._term(target).add)
        return self.parameters()

    @torch.no_grad()
    def merge(self, block: Block) -> None:
        """Adds the terms to the weights of the Linears, and leaves the block."""
        if any(target in self for target in "qkv"):
            qkv = weight_of(block["qkv"])
            for name, rows in zip("qkv", qkv.chunk(3), strict=True):
                if name in self:
                    rows += self._term(name).weight()
            remove_hook(block["qkv"], self._add_to_qkv)
        for target, role in self._single():
            term = self._term(target)
            weight_of(block[role]).add_(term.weight())
            remove_hook(block[role], term.add)
        del block.module.lora

    def _single(self) -> list[tuple[str, Role]]:
        return [(target, role) for target, role in _ROLES.items() if target in self]

    def _term(self, target: str) -> LowRank:
        term = self[target]
        assert isinstance(term, LowRank)
        return term

    def _add_to_qkv(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        chunks = zip("qkv", output.chunk(3, dim=-1), strict=True)
        return torch.cat(
            [chunk + self[name](args[0]) if name in self else chunk for name, chunk in chunks], -1
        )
