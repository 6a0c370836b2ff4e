"""Schedules: the learning rate in the course of the training."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LateSpec, hookimpl, late_specs


@hookimpl
def ltbench_register_schedules() -> Iterable[LateSpec]:
    """The built-in schedules."""
    return late_specs(
        __name__,
        "cosine_per_epoch",
        "cosine",
        "constant",
        "linear",
        default="cosine_per_epoch",
    )
