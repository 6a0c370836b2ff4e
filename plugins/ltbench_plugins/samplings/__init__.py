"""Samplings: the frequency at which each class is drawn in an epoch."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LateSpec, hookimpl, late_specs


@hookimpl
def ltbench_register_samplings() -> Iterable[LateSpec]:
    """Returns the built-in samplings."""
    return late_specs(
        __name__,
        "class_balanced",
        "effective_number",
        "instance_balanced",
        "square_root",
        default="instance_balanced",
    )
