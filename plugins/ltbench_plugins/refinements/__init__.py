"""Refinements: changes of the trained model before it is evaluated."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LateSpec, hookimpl, late_specs


@hookimpl
def ltbench_register_refinements() -> Iterable[LateSpec]:
    """Returns the built-in refinements."""
    return late_specs(
        __name__,
        "crt",
        "group_prompts",
        "linear_adapter",
        "linear_probe",
        "lt_soups",
        "lws",
        "ncm",
        "none",
        "soup",
        "tau_norm",
        "wise_ft",
        default="none",
    )
