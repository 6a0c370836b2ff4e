"""Focal loss: cross entropy with a smaller weight for well-classified images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from ltbench import BuildContext, LossSpec, option
from ltbench.protocols import Loss

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class FocalConfig:
    """Options of the focal loss."""

    gamma: Annotated[float, Ge(0)] = option(2.0, "strength of the focus; 0 is cross entropy")


def prior_factors(config: FocalConfig, counts: Sequence[int]) -> list[float] | None:
    """Returns 1 for each class at gamma 0, else None: the softmax is flatter than probabilities."""
    return None if config.gamma else [1.0] * len(counts)


def build(config: FocalConfig, ctx: BuildContext) -> Loss:
    """Builds -(1 - q)^gamma log q with q = softmax(z)_y, the mean over the batch.

    Departure: the published loss uses one sigmoid per class; here, as in LIFT+, the softmax.
    """
    import torch
    from torch.nn import functional as F

    tiny = torch.finfo(torch.float32).tiny

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        entropy = F.cross_entropy(logits.float(), labels, reduction="none")
        # For q = 1, a power below 1 has no derivative.
        miss = -torch.expm1(-entropy).clamp(max=-tiny)
        return (miss**config.gamma * entropy).mean()

    return loss


FOCAL = LossSpec(
    name="focal",
    summary="cross entropy, reduced where the prediction is confident and right",
    config=FocalConfig,
    build=build,
    prior_factors=prior_factors,
    reference="arXiv:1708.02002",
)
