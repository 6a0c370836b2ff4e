"""Optimizers: the update rules of the learned parameters."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import OptimizerSpec, hookimpl
from ltbench_plugins.optimizers.adamw import ADAMW
from ltbench_plugins.optimizers.sgd import SGD
from ltbench_plugins.optimizers.timm import TIMM


@hookimpl
def ltbench_register_optimizers() -> Iterable[OptimizerSpec]:
    """The built-in optimizers."""
    return [SGD, ADAMW, TIMM]
