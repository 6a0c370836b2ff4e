"""LADE: label distribution disentangling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from ltbench import BuildContext, LossSpec, NoOptions, option
from ltbench.protocols import Loss
from ltbench_plugins.losses import balanced_softmax

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class LadeConfig:
    """Options of LADE."""

    alpha: Annotated[float, Ge(0)] = option(
        0.1, "weight of the regularising term; 0 is balanced_softmax"
    )
    regularization: Annotated[float, Ge(0)] = option(0.1, "weight lambda of the squared log mean")


def prior_factors(config: LadeConfig, counts: Sequence[int]) -> list[float]:
    """Returns 1 / n_k: both terms remove the prior from the logits, as the paper intends."""
    return [1 / count for count in counts]


def build(config: LadeConfig, ctx: BuildContext) -> Loss:
    """Builds the balanced softmax minus alpha times a bound on how well logits fit the images.

    The bound is Donsker and Varadhan's, regularised and weighted by the prior:
    sum_k p_k (t_k - s_k - lambda s_k^2), where t_k is the mean of z_k over the batch's images of
    class k (0 where it has none), s_k = log mean_i exp(z_ik - log(K p_k)) over all of the batch.
    """
    import torch

    from ltbench_plugins.modules.priors import log_prior

    balanced = balanced_softmax.build(NoOptions(), ctx)
    log_p = log_prior(ctx)
    p = log_p.exp()
    to_uniform = log_p + math.log(ctx.num_classes)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        own = logits.gather(1, labels[:, None])[:, 0]
        alike = (labels[:, None] == labels).sum(dim=1)
        joint = (p[labels] / alike * own).sum()  # = sum_k p_k t_k
        marginal = torch.logsumexp(logits - to_uniform, dim=0) - math.log(len(logits))
        bound = joint - (p * (marginal + config.regularization * marginal**2)).sum()
        return balanced(logits, labels) - config.alpha * bound

    return loss


LADE = LossSpec(
    name="lade",
    summary="balanced softmax and a bound that removes the prior from the logits",
    config=LadeConfig,
    build=build,
    prior_factors=prior_factors,
    reference="arXiv:2012.00321",
)
