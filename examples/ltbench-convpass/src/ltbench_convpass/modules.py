"""Torch module that Convpass adds to a block."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ltbench.backbone import Block, Role
from ltbench.errors import NothingMatchedError


class ConvBypass(nn.Module):
    """s up(dropout(g(conv(g(down(x)))))) of tokens x (B, N, width); see `method.Convpass`.

    Args:
        width: Width of the tokens.
        dim: Channels of the convolution.
        scale: s.
        conv_init: Initialisation of the convolution.
        dropout: Share of the channels that are dropped in training.
    """

    def __init__(
        self,
        width: int,
        dim: int,
        scale: float,
        conv_init: Literal["identity", "xavier"],
        dropout: float,
    ) -> None:
        super().__init__()
        self.down = nn.Linear(width, dim)
        self.conv = nn.Conv2d(dim, dim, kernel_size=3, padding=1)
        self.up = nn.Linear(dim, width)
        self.dropout = nn.Dropout(dropout)
        self.scale = scale
        nn.init.xavier_uniform_(self.down.weight)
        if conv_init == "identity":
            nn.init.dirac_(self.conv.weight)
        else:
            nn.init.xavier_uniform_(self.conv.weight)
        nn.init.zeros_(self.up.weight)
        for layer in (self.down, self.conv, self.up):
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
        self._tokens: Tensor | None = None

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns the summand, (B, N, width).

        The last g x g tokens are the patches, row by row, with the largest g that fits. The tokens
        before them are class and register tokens, of which there are fewer than 2 g + 1.
        """
        channels = quick_gelu(self.down(tokens))
        side = math.isqrt(tokens.shape[1])
        before, patches = channels.split([tokens.shape[1] - side**2, side**2], dim=1)
        square = patches.transpose(1, 2).unflatten(2, (side, side))
        convolved = self.conv(square).flatten(2).transpose(1, 2)
        # For a 1 x 1 image with zero padding, only the kernel's centre has an effect.
        alone = F.linear(before, self.conv.weight[:, :, 1, 1], self.conv.bias)
        mixed = quick_gelu(torch.cat([alone, convolved], dim=1))
        added: Tensor = self.scale * self.up(self.dropout(mixed))
        return added

    def attach(self, block: Block, name: str, source: Role, target: Role) -> Iterator[nn.Parameter]:
        """Adds this to a block and returns its learned parameters.

        Args:
            block: The block.
            name: Name of the module in the block.
            source: Module whose input, the normed tokens, is the input of the bypass.
            target: Module whose output the bypass is added to.
        """
        block[source].register_forward_pre_hook(self._capture)
        block[target].register_forward_hook(self._add)
        block.module.add_module(name, self)
        return self.parameters()

    def _capture(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        if args[0].ndim != 3:
            raise NothingMatchedError(
                f"convpass: expected tokens (B, N, C), got {tuple(args[0].shape)}",
                hint="choose a plain vision transformer, without windows or hierarchy",
            )
        self._tokens = args[0]

    def _add(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        assert self._tokens is not None
        tokens, self._tokens = self._tokens, None
        return output + self.forward(tokens)


def quick_gelu(x: Tensor) -> Tensor:
    """Returns x sigmoid(1.702 x), as in CLIP."""
    return x * torch.sigmoid(1.702 * x)
