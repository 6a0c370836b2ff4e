"""Seesaw loss: smaller negative gradients for rare classes, unless they are predicted wrongly."""

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
class SeesawConfig:
    """Options of the seesaw loss."""

    p: Annotated[float, Ge(0)] = option(0.8, "strength of the mitigation; 0 turns it off")
    q: Annotated[float, Ge(0)] = option(2.0, "strength of the compensation; 0 turns it off")


def prior_factors(config: SeesawConfig, counts: Sequence[int]) -> list[float] | None:
    """Returns 1 for each class without both terms, else None: the logits depend on the label."""
    return None if config.p or config.q else [1.0] * len(counts)


def build(config: SeesawConfig, ctx: BuildContext) -> Loss:
    """Builds -log of e^z_i / sum_j M_ij C_ij e^z_j for label i, the mean over the batch.

    Mitigation M_ij = min(1, n_j / n_i)^p; compensation C_ij = max(1, sigma_j / sigma_i)^q with
    sigma = softmax(z), a constant as in the published code: no gradient goes through it.

    Departures: n_k are the training images, not those seen so far; no background branch, no
    normalised activation (the head decides); sigma_i has no lower bound of .01, which the code has
    and the paper has not: the ratio is exp(z_j - z_i) and needs none.
    """
    from torch.nn import functional as F

    from ltbench_plugins.modules.priors import log_prior

    prior = log_prior(ctx)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        scores = logits.detach().float()
        ahead = scores - scores.gather(1, labels[:, None])
        mitigation = config.p * (prior - prior[labels][:, None]).clamp(max=0)
        compensation = config.q * ahead.clamp(min=0)
        return F.cross_entropy(logits + mitigation + compensation, labels)

    return loss


SEESAW = LossSpec(
    name="seesaw",
    summary="cross entropy with smaller negative gradients for rare classes",
    config=SeesawConfig,
    build=build,
    prior_factors=prior_factors,
    reference="arXiv:2008.10032",
)
