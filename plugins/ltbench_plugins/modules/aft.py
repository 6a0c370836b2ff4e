"""Linear of which only some entries are learned."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Entries(nn.Module):
    """Some entries of a frozen tensor as a learned vector, which starts at their values.

    Args:
        frozen: Frozen tensor.
        count: Number of learned entries.
        generator: Generator that chooses them; on the CPU, so that all devices choose the same.
    """

    def __init__(self, frozen: Tensor, count: int, generator: torch.Generator) -> None:
        super().__init__()
        chosen = torch.randperm(frozen.numel(), generator=generator)[:count].sort().values
        self.register_buffer("index", chosen.to(frozen.device), persistent=False)
        self.index: Tensor
        self.entries = nn.Parameter(frozen.detach().flatten()[self.index])

    def forward(self, frozen: Tensor) -> Tensor:
        """Returns the tensor with the learned entries in place."""
        return frozen.flatten().scatter(0, self.index, self.entries).view_as(frozen)


class PartlyLearnedLinear(nn.Module):
    """Replacement of a Linear with the same frozen weight and bias, and int(ratio * size) learned.

    A tensor for which that number is 0 has no learned entries.

    Args:
        linear: Linear to replace.
        ratio: Learned fraction of the entries of each tensor, in (0, 1].
        generator: Generator that chooses the entries, on the CPU.
        restart: State to which the generator returns before each tensor; None to continue.
    """

    def __init__(
        self,
        linear: nn.Module,
        ratio: float,
        generator: torch.Generator,
        restart: Tensor | None = None,
    ) -> None:
        super().__init__()
        assert isinstance(linear, nn.Linear)
        self.weight, self.bias = linear.weight, linear.bias
        self.learned = nn.ModuleDict()
        for name, frozen in linear.named_parameters():
            if restart is not None:
                generator.set_state(restart)
            if count := int(ratio * frozen.numel()):
                self.learned[name] = Entries(frozen, count, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Returns x W^T + b, (..., outputs)."""
        return F.linear(x, self._current("weight"), self._current("bias"))

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """Returns an ordinary Linear with the learned entries in its weight and bias."""
        outputs, inputs = self.weight.shape
        linear = nn.Linear(inputs, outputs, bias=self.bias is not None, device="meta")
        for name, _ in list(linear.named_parameters()):
            current = self._current(name).detach().clone()
            setattr(linear, name, nn.Parameter(current, requires_grad=False))
        return linear

    def _current(self, name: str) -> Tensor:
        frozen: Tensor = getattr(self, name)
        return self.learned[name](frozen) if name in self.learned else frozen
