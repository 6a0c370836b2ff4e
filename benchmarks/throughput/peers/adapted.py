"""CLIP's image encoder with AdaptFormer and a cosine head, in plain PyTorch."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Adapter(nn.Module):
    """scale * up(relu(down(LN(x)))); `up` starts at 0."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.down = nn.Linear(width, dim)
        self.up = nn.Linear(dim, width)
        self.scale = nn.Parameter(torch.ones(()))
        nn.init.kaiming_uniform_(self.down.weight, a=math.sqrt(5))
        for zero in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(zero)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the summand of the MLP's output."""
        added: Tensor = self.scale * self.up(F.relu(self.down(self.norm(x))))
        return added


class AdaptedBlock(nn.Module):
    """A block of open_clip's transformer with an adapter beside its MLP."""

    def __init__(self, block: Any, width: int, dim: int) -> None:
        super().__init__()
        self.block = block
        self.adapter = Adapter(width, dim)

    def forward(self, x: Tensor, **masks: Any) -> Tensor:
        """Returns the residual stream after the block; a vision tower has no mask."""
        block = self.block
        x = x + block.ls_1(block.attention(q_x=block.ln_1(x)))
        out: Tensor = x + block.ls_2(block.mlp(block.ln_2(x))) + self.adapter(x)
        return out


class CosineClassifier(nn.Module):
    """25 times the cosine of feature and class weight."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, width) * 0.01)

    def forward(self, features: Tensor) -> Tensor:
        """Returns the logits."""
        return 25 * F.linear(F.normalize(features, dim=-1), F.normalize(self.weight, dim=-1))


class AdaptedClip(nn.Module):
    """Encoder with adapters, and a head; only adapters and head are learned.

    Args:
        visual: open_clip's `VisionTransformer`.
        dim: Width of the adapters.
        classes: Number of classes K.
    """

    def __init__(self, visual: Any, dim: int, classes: int) -> None:
        super().__init__()
        visual.proj = None  # features before the projection to the joint space
        visual.requires_grad_(False)
        blocks = visual.transformer.resblocks
        width = visual.transformer.width
        for number, block in enumerate(blocks):
            blocks[number] = AdaptedBlock(block, width, dim)
        self.visual = visual
        self.head = CosineClassifier(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Returns the logits of normalised images."""
        logits: Tensor = self.head(self.visual(images))
        return logits

    def learned(self) -> list[nn.Parameter]:
        """Returns the learned parameters."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]


def adapter_width(classes: int, blocks: int) -> int:
    """Returns the paper's rule: 2^floor(log2(K / (2 L))), at least 1."""
    return int(2 ** max(0, math.floor(math.log2(classes / (2 * blocks)))))


def vit_b_16(classes: int) -> AdaptedClip:
    """Returns ViT-B/16 at 224 pixels with random weights."""
    import open_clip

    visual = open_clip.create_model("ViT-B-16-quickgelu", pretrained=None).visual
    return AdaptedClip(visual, adapter_width(classes, 12), classes)
