"""Losses with a uniform class prior, by their contract."""

from __future__ import annotations

import numpy as np

from ltbench.config.uniform_losses import has_uniform_prior, uniform_losses
from ltbench.registry.registry import Registry
from ltbench_plugins.losses.logit_adjusted import LogitAdjustedConfig

COUNTS = np.array([100, 10, 0])


def test_losses_say_their_prior(registry: Registry) -> None:
    found = list(uniform_losses(registry, COUNTS))
    assert {"balanced_softmax", "logit_adjusted"} <= set(found)
    assert not {"ce", "focal"} & set(found)
    loss = registry.find("loss", "logit_adjusted")
    assert has_uniform_prior(loss, LogitAdjustedConfig(tau=1.0), COUNTS)
    assert not has_uniform_prior(loss, LogitAdjustedConfig(tau=0.5), COUNTS)
