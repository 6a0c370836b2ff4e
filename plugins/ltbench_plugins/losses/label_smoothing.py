"""Cross entropy with smoothed labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from ltbench import BuildContext, LossSpec, option
from ltbench.protocols import Loss

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class LabelSmoothingConfig:
    """Options of label smoothing."""

    smoothing: Annotated[float, Ge(0), Le(1)] = option(
        0.1, "share of the target spread evenly over all classes; 0 is cross entropy"
    )


def prior_factors(config: LabelSmoothingConfig, counts: Sequence[int]) -> list[float] | None:
    """Returns 1 for each class without smoothing, else None: the softmax is a mixture."""
    return None if config.smoothing else [1.0] * len(counts)


def build(config: LabelSmoothingConfig, ctx: BuildContext) -> Loss:
    """Builds -sum_k t_k log softmax(z)_k with t = (1 - e) onehot(y) + e / K, e the smoothing."""
    from torch.nn import functional as F

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits.float(), labels, label_smoothing=config.smoothing)

    return loss


LABEL_SMOOTHING = LossSpec(
    name="label_smoothing",
    summary="cross entropy with a share of the target spread over all classes",
    config=LabelSmoothingConfig,
    build=build,
    prior_factors=prior_factors,
    reference="arXiv:1512.00567",
)
