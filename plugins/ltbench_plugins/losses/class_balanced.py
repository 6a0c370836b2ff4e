"""Class-balanced loss: cross entropy weighted by the effective number of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Lt

from ltbench import BuildContext, LossSpec, option
from ltbench.protocols import Loss

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ClassBalancedConfig:
    """Options of the class-balanced loss."""

    beta: Annotated[float, Ge(0), Lt(1)] = option(
        0.9999, "strength of the weights: 0 weighs all classes equally, near 1 by 1 / n_k"
    )


def prior_factors(config: ClassBalancedConfig, counts: Sequence[int]) -> list[float]:
    """Returns the weights: a class of twice the weight counts as drawn twice as often."""
    return [(1 - config.beta) / (1 - config.beta**count) for count in counts]


def build(config: ClassBalancedConfig, ctx: BuildContext) -> Loss:
    """Builds -w_y log softmax(z)_y with w_k = (1 - beta) / (1 - beta^n_k).

    As in the reference code, a batch's sum is divided by the sum of its weights, not by its size.
    """
    from torch.nn import functional as F

    from ltbench_plugins.modules.priors import effective_number_weights

    weights = effective_number_weights(ctx, config.beta)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits.float(), labels, weight=weights)

    return loss


CLASS_BALANCED = LossSpec(
    name="class_balanced",
    summary="cross entropy weighted by one over the effective number of images",
    config=ClassBalancedConfig,
    build=build,
    prior_factors=prior_factors,
    reference="arXiv:1901.05555",
)
