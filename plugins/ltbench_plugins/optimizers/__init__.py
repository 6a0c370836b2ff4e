"""Optimizers: the update rules of the learned parameters."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LateSpec, hookimpl, late_specs


@hookimpl
def ltbench_register_optimizers() -> Iterable[LateSpec]:
    """The built-in optimizers."""
    return late_specs(__name__, "sgd", "adamw", "timm", default="sgd")
