"""Heads that are a Linear of the features, or of the features scaled to unit length."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_TOLERANCE = 1e-5  # relative to the largest logit
_PROBES = 64
_NORMS = (0.1, 1.0, 30.0)
"""Lengths of the random features on which a head is compared with its linear form."""


class LinearClassifier(nn.Module):
    """Logits W x + b, or W x / |x| + b.

    Args:
        weight: W, (K, width).
        bias: b, (K,); None for zero.
        unit: Whether the features are scaled to unit length first.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None, *, unit: bool) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)
        self.unit = unit

    def forward(self, features: Tensor) -> Tensor:
        """Returns the logits, (B, K), of features (B, width)."""
        return F.linear(F.normalize(features, dim=-1) if self.unit else features, *self.tensors())

    def tensors(self) -> tuple[Tensor, Tensor | None]:
        """Returns W and b."""
        return self.weight, self.bias


@torch.no_grad()
def linear_form(head: nn.Module, width: int) -> LinearClassifier | None:
    """Returns the linear form of a head in evaluation mode; None where it has none.

    The form is read from the logits of the unit vectors, and compared with the head on random
    features of several lengths. Class features that a head computes, as from prompts, become
    constants.

    Args:
        head: Module from features to logits, on the CPU.
        width: Length of a feature vector.
    """
    units = torch.eye(width)
    generator = torch.Generator().manual_seed(0)
    directions = F.normalize(torch.randn(_PROBES, width, generator=generator), dim=-1)
    probes = torch.cat([directions * norm for norm in _NORMS])
    at_zero, at_units, expected = head(torch.zeros(1, width))[0], head(units), head(probes)
    weight, bias = (at_units - at_zero).T.contiguous(), at_zero if at_zero.any() else None
    affine, cosine = (LinearClassifier(weight, bias, unit=unit) for unit in (False, True))
    limit = _TOLERANCE * float(expected.abs().max())
    for form in (affine, cosine):
        if float((form(probes) - expected).abs().max()) <= limit:
            return form
    return None
