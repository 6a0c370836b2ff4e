"""Logit-adjusted cross entropy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import BuildContext, LossSpec, option
from ltbench.protocols import Loss

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class LogitAdjustedConfig:
    """Options of the logit-adjusted loss."""

    tau: float = option(1.0, "strength of the prior; 0 is cross entropy")


def prior_factors(config: LogitAdjustedConfig, counts: Sequence[int]) -> list[float]:
    """Returns n_k^-tau: the loss adds tau log p, so that the logits do not contain it."""
    return [count**-config.tau for count in counts]


def build(config: LogitAdjustedConfig, ctx: BuildContext) -> Loss:
    """Builds -log softmax(z + tau log p)_y, the mean over the batch.

    p_k = n_k / sum(n) is the training prior.
    """
    from torch.nn import functional as F

    from ltbench_plugins.modules.priors import log_prior

    adjustment = config.tau * log_prior(ctx)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits + adjustment, labels)

    return loss


LOGIT_ADJUSTED = LossSpec(
    name="logit_adjusted",
    summary="cross entropy with the log prior added to the logits",
    config=LogitAdjustedConfig,
    build=build,
    prior_factors=prior_factors,
    reference="arXiv:2007.07314",
    default=True,
)
