"""Cross entropy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ltbench import BuildContext, LossSpec, NoOptions
from ltbench.protocols import Loss

if TYPE_CHECKING:
    from torch import Tensor


def prior_factors(config: NoOptions, counts: Sequence[int]) -> list[float]:
    """Returns 1 for each class: the softmax has the prior of the drawn images."""
    return [1.0] * len(counts)


def build(config: NoOptions, ctx: BuildContext) -> Loss:
    """Builds -log softmax(z)_y, the mean over the batch."""
    from torch.nn import functional as F

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits, labels)

    return loss


CE = LossSpec(name="ce", summary="cross entropy", build=build, prior_factors=prior_factors)
