"""Generalised re-weighting: cross entropy weighted by the inverse prior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ltbench import BuildContext, LossSpec, NoOptions
from ltbench.protocols import Loss

if TYPE_CHECKING:
    from torch import Tensor


def prior_factors(config: NoOptions, counts: Sequence[int]) -> list[float]:
    """Returns 1 / n_k, the weights: a class of twice the weight counts as drawn twice as often."""
    return [1 / count for count in counts]


def build(config: NoOptions, ctx: BuildContext) -> Loss:
    """Builds -w_y log softmax(z)_y with w_k = 1 / p_k: the paper's p_k^(-rho) at rho = 1.

    As in the reference code, a batch's sum is divided by the sum of its weights, not by its size.
    """
    from torch.nn import functional as F

    from ltbench_plugins.modules.priors import inverse_prior_weights

    weights = inverse_prior_weights(ctx)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits.float(), labels, weight=weights)

    return loss


GENERALIZED_REWEIGHT = LossSpec(
    name="generalized_reweight",
    summary="cross entropy weighted by one over the prior",
    build=build,
    prior_factors=prior_factors,
    reference="arXiv:2103.16370",
)
