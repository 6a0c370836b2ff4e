"""Augmentation of rendered masks to training images, random and fast, a batch at a time."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.pretrain.concepts import COLOURS, Concept


class Augment:
    """Module that moves masks, blurs them to few pixels, and paints them."""

    def __init__(self, known: list[Concept]) -> None:
        self.digit = torch.tensor([concept.kind == "digit" for concept in known])
        self.colour = torch.full((len(known), 3), -1.0)
        for row, concept in enumerate(known):
            if concept.kind == "colour":
                self.colour[row] = torch.tensor(COLOURS[concept.name])

    def __call__(self, masks: Tensor, labels: Tensor) -> Tensor:
        """Returns RGB images in 0..1 of uint8 masks."""
        mask = masks.unsqueeze(1).float() / 255
        mask = _coarsen(_move(mask), self.digit[labels])
        images = _paint(mask)
        plain = self.colour[labels].view(-1, 3, 1, 1)
        plain = plain + 0.08 * torch.randn(len(labels), 3, 1, 1)
        images = torch.where(self.colour[labels, 0].view(-1, 1, 1, 1) >= 0, plain, images)
        noise = 0.06 * torch.rand(len(labels), 1, 1, 1) * (torch.rand(len(labels), 1, 1, 1) < 0.3)
        return (images + noise * torch.randn_like(images)).clamp(0, 1)


def _move(mask: Tensor) -> Tensor:
    """Returns masks of which half are shifted, rotated and scaled a little."""
    count = len(mask)
    chosen = (torch.rand(count) < 0.5).float()
    angle = 0.08 * torch.randn(count) * chosen
    scale = 1 + (0.3 * torch.rand(count) - 0.12) * chosen
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = angle.cos() * scale
    theta[:, 0, 1], theta[:, 1, 0] = -angle.sin() * scale, angle.sin() * scale
    theta[:, :, 2] = 0.06 * torch.randn(count, 2) * chosen[:, None]
    grid = F.affine_grid(theta, list(mask.shape), align_corners=False)
    return F.grid_sample(mask, grid, align_corners=False)


def _coarsen(mask: Tensor, digit: Tensor) -> Tensor:
    """Averages most digits and some others down to 8 pixels of 17 grey levels, and back up."""
    drawn = torch.rand(len(mask))
    to_eight = drawn < torch.where(digit, 0.75, 0.3)
    to_sixteen = (drawn > 0.85) & ~to_eight
    out = mask.clone()
    for chosen, factor in ((to_eight, 4), (to_sixteen, 2)):
        small = (F.avg_pool2d(mask[chosen], factor) * 16).round() / 16
        out[chosen] = F.interpolate(
            small, scale_factor=factor, mode="bicubic", antialias=True
        ).clamp(0, 1)
    return out


def _paint(mask: Tensor) -> Tensor:
    """Returns painted masks: mostly light on dark, some dark on light, some coloured."""
    count = len(mask)
    drawn = torch.rand(count, 1, 1, 1)
    light = 1 - 0.25 * torch.rand(count, 1, 1, 1).square().expand(-1, 3, -1, -1)
    dark = 0.2 * torch.rand(count, 1, 1, 1).pow(3).expand(-1, 3, -1, -1)
    ink = torch.where(drawn < 0.15, dark, light)
    ground = torch.where(drawn < 0.15, light, dark)
    # Complementary sides of mid-grey keep coloured ink readable on its ground.
    bright = 0.55 + 0.45 * torch.rand(count, 3, 1, 1)
    dim = 0.45 * torch.rand(count, 3, 1, 1)
    swap = torch.rand(count, 1, 1, 1) < 0.5
    coloured = drawn > 0.8
    ink = torch.where(coloured, torch.where(swap, dim, bright), ink)
    ground = torch.where(coloured, torch.where(swap, bright, dim), ground)
    return ground + mask * (ink - ground)
