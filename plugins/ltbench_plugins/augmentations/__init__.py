"""Augmentations: the views of a training image in each epoch, and changes of their pixels."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LateSpec, hookimpl, late_specs


@hookimpl
def ltbench_register_augmentations() -> Iterable[LateSpec]:
    """Returns the built-in augmentations."""
    return late_specs(
        __name__,
        "cutmix",
        "mda",
        "mixup",
        "none",
        "randaugment",
        "standard",
        default="mda",
    )
