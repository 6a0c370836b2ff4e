"""Data sets."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import DatasetSpec, hookimpl
from ltbench_plugins.datasets.digits_lt import DIGITS_LT
from ltbench_plugins.datasets.imagenet_lt import IMAGENET_LT


@hookimpl
def ltbench_register_datasets() -> Iterable[DatasetSpec]:
    """The built-in data sets."""
    return [DIGITS_LT, IMAGENET_LT]
