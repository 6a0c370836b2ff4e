"""A small encoder of three blocks, for tests of its parts."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone, Block

WIDTH = 8
HALF = (0.5, 0.5, 0.5)


class Residual(nn.Module):
    """A block that mixes the tokens of an image, and may drop some of them."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.mix = nn.Linear(WIDTH, WIDTH)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.drop(self.mix(x + x.mean(dim=1, keepdim=True)))
        return x + torch.tanh(mixed)


class Vision(nn.Module):
    """Patches of 4 pixels, blocks, a norm, and the mean of the tokens."""

    def __init__(self, *dropout: float) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, WIDTH, 4, 4)
        self.blocks = nn.ModuleList([Residual(one) for one in dropout])
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, images: Tensor) -> Tensor:
        x = self.stem(images).flatten(2).transpose(1, 2).contiguous()
        for block in self.blocks:
            x = block(x)
        found: Tensor = self.norm(x).mean(dim=1)
        return found


def encoder(*dropout: float, projected: bool = False) -> Backbone:
    """Returns a frozen encoder with blocks of the given dropout, by default three without."""
    torch.manual_seed(0)
    vision = Vision(*(dropout or (0.0, 0.0, 0.0)))
    backbone = Backbone(
        vision,
        width=WIDTH,
        resolution=16,
        mean=HALF,
        std=HALF,
        blocks=[Block(block, {"mlp_in": "mix"}) for block in vision.blocks],
        projection=torch.randn(WIDTH, 4),
    )
    if projected:
        backbone.project()
    backbone.requires_grad_(False)
    return backbone.eval()


def images(count: int = 4) -> Tensor:
    """Returns normalised images, (count, 3, 16, 16)."""
    return torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(1))
