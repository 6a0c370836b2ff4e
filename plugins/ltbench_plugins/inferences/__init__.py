"""Inferences: the views of a test image, and how their logits are combined."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LateSpec, hookimpl, late_specs


@hookimpl
def ltbench_register_inferences() -> Iterable[LateSpec]:
    """Returns the built-in inferences."""
    return late_specs(
        __name__,
        "center",
        "em_prior",
        "flip",
        "multi_scale",
        "post_hoc_logit_adjustment",
        "randaug_tte",
        "ten_crop",
        "tte",
        default="tte",
    )
