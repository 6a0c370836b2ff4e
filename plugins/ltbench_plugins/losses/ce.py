"""Cross entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltbench import BuildContext, LossSpec, NoOptions
from ltbench.protocols import Loss

if TYPE_CHECKING:
    from torch import Tensor


def build(config: NoOptions, ctx: BuildContext) -> Loss:
    """Builds -log softmax(z)_y, the mean over the batch."""
    from torch.nn import functional as F

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits, labels)

    return loss


CE = LossSpec(name="ce", summary="cross entropy", build=build)
