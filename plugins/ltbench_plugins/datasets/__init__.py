"""Data sets: long-tailed benchmarks, data sets within packages, and readers of own images."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LateSpec, hookimpl, late_specs


@hookimpl
def ltbench_register_datasets() -> Iterable[LateSpec]:
    """Returns the built-in data sets."""
    cifar = f"{__name__}.cifar"
    return [
        LateSpec("cifar10_lt", cifar),
        LateSpec("cifar100_lt", cifar),
        *late_specs(
            __name__,
            "csv",
            "digits_lt",
            "elpv",
            "folder",
            "food101_lt",
            "glyphs_lt",
            "grocery_store",
            "huggingface",
            "imagenet_lt",
            "inat2018",
            "places_lt",
            default="digits_lt",
        ),
    ]
