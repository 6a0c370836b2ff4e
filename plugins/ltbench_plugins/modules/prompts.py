"""The prompts of visual prompt tuning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ltbench.backbone import Block


class Prompts(nn.Module):
    """Learned tokens (length, width) that a block, or several in a row, sees after token 0.

    They start as N(0, 0.02). What comes out behind the last of these blocks has the tokens that
    went into the first.
    """

    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        self.prompt = nn.Parameter(torch.empty(length, width))
        nn.init.normal_(self.prompt, std=0.02)

    def attach(self, first: Block, last: Block) -> Iterator[nn.Parameter]:
        """Joins before the first block, leaves after the last; returns what there is to learn."""
        first.module.add_module("vpt", self)
        first.module.register_forward_pre_hook(self._insert)
        last.module.register_forward_hook(self._drop)
        return self.parameters()

    def _insert(self, module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        tokens, *rest = args
        prompts = self.prompt.to(tokens.dtype).expand(len(tokens), -1, -1)
        return (torch.cat([tokens[:, :1], prompts, tokens[:, 1:]], dim=1), *rest)

    def _drop(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        return torch.cat([output[:, :1], output[:, 1 + len(self.prompt) :]], dim=1)
