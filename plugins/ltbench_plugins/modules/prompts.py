"""Prompts of visual prompt tuning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone, Block
from ltbench.errors import NothingMatchedError, is_out_of_memory


class Prompts(nn.Module):
    """Learned tokens (length, width), inserted after token 0 for a block or several in a row.

    They start as N(0, 0.02). The output of the last of these blocks has the same tokens as the
    input of the first. Rotary attention does not rotate them: like the class token and the
    registers, they have no position in the image.
    """

    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        self.prompt = nn.Parameter(torch.empty(length, width))
        nn.init.normal_(self.prompt, std=0.02)

    def attach(self, span: Sequence[Block], name: str = "vpt") -> Iterator[nn.Parameter]:
        """Inserts before the first block, drops after the last; returns the learned parameters.

        Args:
            span: Blocks in a row.
            name: Name of the prompts in the first of them.
        """
        span[0].module.add_module(name, self)
        span[0].module.register_forward_pre_hook(self._insert)
        span[-1].module.register_forward_hook(self._drop)
        attentions: list[Any] = [module for block in span for module in block.module.modules()]
        for attention in attentions:
            if hasattr(attention, "num_prefix_tokens"):  # timm's number of tokens not rotated
                attention.num_prefix_tokens += len(self.prompt)
        return self.parameters()

    def _insert(self, module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        tokens, *rest = args
        # `shape[0]` instead of `len`, which would fix the batch of an exported program.
        prompts = self.prompt.to(tokens.dtype).expand(tokens.shape[0], -1, -1)
        return (torch.cat([tokens[:, :1], prompts, tokens[:, 1:]], dim=1), *rest)

    def _drop(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        return torch.cat([output[:, :1], output[:, 1 + len(self.prompt) :]], dim=1)


@torch.no_grad()
def expect_more_tokens(backbone: Backbone) -> None:
    """Checks on a blank image that the attention accepts further tokens.

    Raises:
        NothingMatchedError: It does not, as with relative positions.
    """
    side = backbone.resolution
    blank = backbone.mean.new_zeros(1, 3, side, side)
    try:
        backbone.eval()(blank)
    except (RuntimeError, AssertionError) as error:  # raised for misfitting shapes
        if is_out_of_memory(error):
            raise
        name = type(backbone.blocks[0].module).__name__
        raise NothingMatchedError(
            f"the backbone's {name} blocks accept no prompts besides their own tokens: {error}",
            hint="choose another method: their attention depends on each token's position",
        ) from error
