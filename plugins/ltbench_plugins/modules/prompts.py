"""The prompts of visual prompt tuning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone, Block
from ltbench.errors import NothingMatchedError, is_out_of_memory


class Prompts(nn.Module):
    """Learned tokens (length, width) that a block, or several in a row, sees after token 0.

    They start as N(0, 0.02). What comes out behind the last of these blocks has the tokens that
    went into the first. Rotary attention leaves them as they are: like the class token and the
    registers they have no place in the image.
    """

    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        self.prompt = nn.Parameter(torch.empty(length, width))
        nn.init.normal_(self.prompt, std=0.02)

    def attach(self, span: Sequence[Block]) -> Iterator[nn.Parameter]:
        """Joins before the first block, leaves after the last; returns what there is to learn."""
        span[0].module.add_module("vpt", self)
        span[0].module.register_forward_pre_hook(self._insert)
        span[-1].module.register_forward_hook(self._drop)
        attentions: list[Any] = [module for block in span for module in block.module.modules()]
        for attention in attentions:
            if hasattr(attention, "num_prefix_tokens"):  # timm's: how many are not rotated
                attention.num_prefix_tokens += len(self.prompt)
        return self.parameters()

    def _insert(self, module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        tokens, *rest = args
        prompts = self.prompt.to(tokens.dtype).expand(len(tokens), -1, -1)
        return (torch.cat([tokens[:, :1], prompts, tokens[:, 1:]], dim=1), *rest)

    def _drop(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        return torch.cat([output[:, :1], output[:, 1 + len(self.prompt) :]], dim=1)


@torch.no_grad()
def expect_more_tokens(backbone: Backbone) -> None:
    """Tries a blank image: some attention is made for one number of tokens.

    Raises:
        NothingMatchedError: The backbone's is, such as one with relative positions.
    """
    side = backbone.resolution
    blank = backbone.mean.new_zeros(1, 3, side, side)
    try:
        backbone.eval()(blank)
    except (RuntimeError, AssertionError) as error:  # what shapes raise that do not fit
        if is_out_of_memory(error):
            raise
        name = type(backbone.blocks[0].module).__name__
        raise NothingMatchedError(
            f"the backbone's {name} blocks take no prompts beside their own tokens: {error}",
            hint="their attention knows the place of each token; take another method",
        ) from error
