"""Vector-scaling loss: logits with a factor and a summand for each class."""

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
class VsConfig:
    """Options of the vector-scaling loss."""

    gamma: Annotated[float, Ge(0)] = option(0.15, "strength of the factors; 0 turns them off")
    tau: float = option(1.0, "strength of the prior; 0 turns it off")


def prior_factors(config: VsConfig, counts: Sequence[int]) -> list[float] | None:
    """Returns n_k^-tau without factors of the logits, else None: no prior undoes these."""
    return None if config.gamma else [count**-config.tau for count in counts]


def build(config: VsConfig, ctx: BuildContext) -> Loss:
    """Builds -log softmax(Delta z + iota)_y, the mean over the batch.

    Delta_k = (n_k / max n)^gamma shrinks the logits of rare classes, which therefore have to be
    larger: a multiplicative margin. iota_k = tau log p_k is that of the logit-adjusted loss.
    """
    from torch.nn import functional as F

    from ltbench_plugins.modules.priors import log_prior

    prior = log_prior(ctx)
    factors = (config.gamma * (prior - prior.max())).exp()
    summands = config.tau * prior

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(factors * logits + summands, labels)

    return loss


VS = LossSpec(
    name="vs",
    summary="vector scaling: logits times a power of the prior, plus the log prior",
    config=VsConfig,
    build=build,
    prior_factors=prior_factors,
    reference="arXiv:2103.01550",
)
