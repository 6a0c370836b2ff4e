"""Losses: functions from logits and labels to a scalar."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LateSpec, hookimpl, late_specs


@hookimpl
def ltbench_register_losses() -> Iterable[LateSpec]:
    """Returns the built-in losses."""
    return late_specs(
        __name__,
        "agcl",
        "balanced_softmax",
        "ce",
        "class_balanced",
        "focal",
        "generalized_reweight",
        "label_smoothing",
        "lade",
        "ldam",
        "logit_adjusted",
        "seesaw",
        "vs",
        default="logit_adjusted",
    )
