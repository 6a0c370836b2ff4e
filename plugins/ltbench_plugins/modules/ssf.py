"""Scale and shift of SSF."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ltbench_plugins.modules.merging import remove_hook, weight_of


class ScaleShift(nn.Module):
    """y * scale + shift for each channel; they start as N(1, 0.02) and N(0, 0.02)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(width))
        self.shift = nn.Parameter(torch.empty(width))
        nn.init.normal_(self.scale, mean=1, std=0.02)
        nn.init.normal_(self.shift, std=0.02)

    def attach(self, module: nn.Module) -> Iterator[nn.Parameter]:
        """Adds this to a module, whose output it changes, and returns the learned parameters."""
        module.add_module("ssf", self)
        module.register_forward_hook(self._change)
        return self.parameters()

    @torch.no_grad()
    def merge(self, module: nn.Module) -> None:
        """Scales and shifts weight and bias of the Linear or LayerNorm, and leaves it.

        A norm without weights, or of another kind, keeps its scale and shift.
        """
        if not isinstance(module, (nn.Linear, nn.LayerNorm)) or module.weight is None:
            return
        weight = weight_of(module)
        weight.mul_(self.scale.view(-1, *[1] * (weight.dim() - 1)))
        bias = module.bias
        if isinstance(bias, Tensor):
            bias.mul_(self.scale).add_(self.shift)
        else:
            module.bias = nn.Parameter(self.shift.detach().clone(), requires_grad=False)
        remove_hook(module, self._change)
        del module.ssf

    def _change(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        # In float32: bfloat16 would round away small changes of a scale near 1.
        return (output * self.scale + self.shift).to(output.dtype)
