"""Losses whose softmax has a uniform class prior."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.config.options import parse_options
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component
from ltbench.registry.registry import Registry
from ltbench.specs import LossSpec

_TOLERANCE = 0.01  # of a class's prior over another's


def has_uniform_prior(component: Component, config: Any, counts: NDArray[np.int64]) -> bool:
    """Returns whether a loss makes classes equally likely whatever their number of images.

    Args:
        component: The loss.
        config: Its config.
        counts: Training images of each class, (K,).
    """
    assert isinstance(component.spec, LossSpec)
    known = np.maximum(counts, 1)
    with attribute_errors(component):
        factors = component.spec.prior_factors(config, tuple(known.tolist()))
    if factors is None or len(factors) != len(known):
        return False
    prior = known * np.asarray(factors, np.float64)
    return bool(prior.max() <= (1 + _TOLERANCE) * prior.min())


def uniform_losses(registry: Registry, counts: NDArray[np.int64]) -> Iterator[str]:
    """Yields the names of the losses with a uniform prior, with their default options.

    Args:
        registry: Registered components.
        counts: Training images of each class, (K,).
    """
    for name, component in registry.components["loss"].items():
        config, _ = parse_options(component.spec.config, {}, "loss", f"loss '{name}'")
        if config is not None and has_uniform_prior(component, config, counts):
            yield name
