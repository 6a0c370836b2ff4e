"""Initialisations: the first weight of a head."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LateSpec, hookimpl, late_specs


@hookimpl
def ltbench_register_inits() -> Iterable[LateSpec]:
    """Returns the built-in inits."""
    return late_specs(
        __name__,
        "class_mean",
        "linear_probe",
        "random",
        "semantic",
        default="random",
    )
