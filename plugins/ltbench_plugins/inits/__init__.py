"""Initialisations: the first weight of a head."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import InitSpec, hookimpl
from ltbench_plugins.inits.class_mean import CLASS_MEAN
from ltbench_plugins.inits.linear_probe import LINEAR_PROBE
from ltbench_plugins.inits.random import RANDOM
from ltbench_plugins.inits.semantic import SEMANTIC


@hookimpl
def ltbench_register_inits() -> Iterable[InitSpec]:
    """Returns the built-in inits."""
    return [CLASS_MEAN, LINEAR_PROBE, RANDOM, SEMANTIC]
