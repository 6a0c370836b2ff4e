"""Methods: choices of the image encoder's learned parameters."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LateSpec, hookimpl, late_specs


@hookimpl
def ltbench_register_methods() -> Iterable[LateSpec]:
    """Returns the built-in methods."""
    return late_specs(
        __name__,
        "lift_plus",
        "lift",
        "adaptformer",
        "adapter",
        "lora",
        "vpt",
        "lpt",
        "ssf",
        "aft",
        "bitfit",
        "ln_tuning",
        "bn_tuning",
        "peft",
        "full",
        "classifier_only",
        "clip_adapter",
        "coop",
        "ballad",
        "proj_tuning",
        "tip_adapter",
        "tip_adapter_f",
        "gla",
        "crt",
        "lws",
        "tau_norm",
        "ncm",
        "linear_probe",
        "wise_ft",
        "soup",
        "lt_soups",
        "zero_shot",
        default="lift_plus",
    )
