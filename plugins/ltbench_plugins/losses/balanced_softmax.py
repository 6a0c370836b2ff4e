"""Balanced softmax."""

from __future__ import annotations

from ltbench import BuildContext, LossSpec, NoOptions
from ltbench.protocols import Loss
from ltbench_plugins.losses import logit_adjusted


def build(config: NoOptions, ctx: BuildContext) -> Loss:
    """Builds -log softmax(z + log p)_y, the logit-adjusted loss with tau = 1."""
    return logit_adjusted.build(logit_adjusted.LogitAdjustedConfig(tau=1.0), ctx)


BALANCED_SOFTMAX = LossSpec(
    name="balanced_softmax",
    summary="cross entropy of the softmax weighted by the prior",
    build=build,
    reference="arXiv:2007.10740",
)
