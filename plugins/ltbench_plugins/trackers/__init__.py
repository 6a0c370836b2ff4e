"""Trackers: receivers of a run's settings, epochs and result."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LateSpec, hookimpl, late_specs


@hookimpl
def ltbench_register_trackers() -> Iterable[LateSpec]:
    """Returns the built-in trackers."""
    return late_specs(__name__, "csv", "tensorboard", "wandb", "mlflow")
