"""Focal loss: cross entropy that cares less for what is classified well."""

from __future__ import annotations

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


def build(config: FocalConfig, ctx: BuildContext) -> Loss:
    """Builds -(1 - q)^gamma log q with q = softmax(z)_y, the mean over the batch.

    Departure: the published loss is of one sigmoid a class; here, as in LIFT+, of the softmax.
    """
    import torch
    from torch.nn import functional as F

    tiny = torch.finfo(torch.float32).tiny

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        entropy = F.cross_entropy(logits.float(), labels, reduction="none")
        # Where q = 1, a power under 1 has no derivative.
        miss = -torch.expm1(-entropy).clamp(max=-tiny)
        return (miss**config.gamma * entropy).mean()

    return loss


FOCAL = LossSpec(
    name="focal",
    summary="cross entropy, damped where the prediction is sure and right",
    config=FocalConfig,
    build=build,
    reference="arXiv:1708.02002",
)
