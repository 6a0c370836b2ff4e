"""Torch module of the method, imported when a run needs it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Diagonal(nn.Module):
    """Adds U D V^T x to the output of a Linear with the weight W = U S V^T."""

    u: Tensor
    vt: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        u, s, vt = torch.linalg.svd(weight.detach(), full_matrices=False)
        # They follow from the weight: they move with the model and are not stored.
        self.register_buffer("u", u, persistent=False)
        self.register_buffer("vt", vt, persistent=False)
        self.diagonal = nn.Parameter(torch.zeros_like(s))

    def attach(self, linear: nn.Module) -> nn.Parameter:
        """Adds the module to a Linear and returns the learned parameter.

        As a submodule it is stored, copied and moved with the model. The hook is a bound method,
        so `copy.deepcopy` of the model copies it as well.
        """
        linear.add_module("svft", self)
        linear.register_forward_hook(self._add)
        return self.diagonal

    def _add(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        x: Tensor = args[0]
        added = ((x @ self.vt.T) * self.diagonal) @ self.u.T
        return output + added.to(output.dtype)
