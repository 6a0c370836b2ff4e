"""Floating-point operations of a model's forward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ltbench.backbone import Backbone
from ltbench.engine.model.blank_images import blank_images

_Conv = nn.Conv1d | nn.Conv2d | nn.Conv3d


@torch.no_grad()
def forward_flops(backbone: Backbone) -> int:
    """Returns the operations of linear layers and convolutions for one image.

    A product of (m, k) and (k, n) counts 2 m k n. Attention's own products, normalisation and
    activations are left out: in ViT-B/16 they are 4 % of the whole. The count follows from shapes,
    so that device, versions of libraries and load of the machine do not change it.

    Args:
        backbone: Encoder on its device; one blank image goes through it.
    """
    flops = 0

    def count(module: nn.Module, args: Any, output: Tensor) -> None:
        nonlocal flops
        assert isinstance(module, nn.Linear | _Conv)
        # Each number is a sum over the inputs: of a convolution, over a group and the kernel.
        flops += 2 * output.numel() * module.weight[0].numel()

    layers = [one for one in backbone.modules() if isinstance(one, nn.Linear | _Conv)]
    handles = [layer.register_forward_hook(count) for layer in layers]
    try:
        backbone.eval()(blank_images(backbone))
    finally:
        for handle in handles:
            handle.remove()
    return flops
