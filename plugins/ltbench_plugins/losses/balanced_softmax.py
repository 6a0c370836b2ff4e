"""Balanced softmax."""

from __future__ import annotations

from collections.abc import Sequence

from ltbench import BuildContext, LossSpec, NoOptions
from ltbench.protocols import Loss
from ltbench_plugins.losses import logit_adjusted


def prior_factors(config: NoOptions, counts: Sequence[int]) -> list[float]:
    """Returns 1 / n_k: the softmax has a uniform prior where every image is drawn once."""
    return [1 / count for count in counts]


def build(config: NoOptions, ctx: BuildContext) -> Loss:
    """Builds -log softmax(z + log p)_y, the logit-adjusted loss with tau = 1."""
    return logit_adjusted.build(logit_adjusted.LogitAdjustedConfig(tau=1.0), ctx)


BALANCED_SOFTMAX = LossSpec(
    name="balanced_softmax",
    summary="cross entropy of the softmax weighted by the prior",
    build=build,
    prior_factors=prior_factors,
    reference="arXiv:2007.10740",
)
