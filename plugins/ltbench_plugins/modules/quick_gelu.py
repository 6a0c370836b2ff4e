"""Activation of OpenAI's CLIP, with fewer passes over memory."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_SLOPE = 1.702


class QuickGELU(nn.Module):
    """x * sigmoid(1.702 x), a quick approximation of GELU (arXiv:1606.08415, section 2).

    Bit-identical to that product. For the widest tensor of a block it allocates two tensors instead
    of three, and keeps one instead of two for the backward pass.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Returns the activation of each element."""
        if torch.is_grad_enabled() and x.requires_grad:
            return cast(Tensor, _QuickGELU.apply(x))
        return (x * _SLOPE).sigmoid_().mul_(x)


class _QuickGELU(torch.autograd.Function):
    """x * sigmoid(y) with y = 1.702 x is silu(y) / 1.702: its slope in x is silu's slope in y."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        steep = x * _SLOPE
        ctx.save_for_backward(steep)
        return torch.sigmoid(steep).mul_(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (steep,) = ctx.saved_tensors
        return cast(Tensor, torch.ops.aten.silu_backward(grad, steep))


def quicken(model: nn.Module) -> None:
    """Replaces every `open_clip` QuickGELU of a model by this one."""
    from open_clip.transformer import QuickGELU as Plain

    for parent in model.modules():
        for name, child in parent.named_children():
            if isinstance(child, Plain):
                setattr(parent, name, QuickGELU())
