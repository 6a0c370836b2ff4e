"""Samplings: the frequency at which each class is drawn in an epoch."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import SamplingSpec, hookimpl
from ltbench_plugins.samplings.class_balanced import CLASS_BALANCED
from ltbench_plugins.samplings.effective_number import EFFECTIVE_NUMBER
from ltbench_plugins.samplings.instance_balanced import INSTANCE_BALANCED
from ltbench_plugins.samplings.square_root import SQUARE_ROOT


@hookimpl
def ltbench_register_samplings() -> Iterable[SamplingSpec]:
    """Returns the built-in samplings."""
    return [CLASS_BALANCED, EFFECTIVE_NUMBER, INSTANCE_BALANCED, SQUARE_ROOT]
