"""Inferences: which views of a test image are seen, and how their logits become one."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import InferenceSpec, hookimpl
from ltbench_plugins.inferences.center import CENTER
from ltbench_plugins.inferences.tte import TTE


@hookimpl
def ltbench_register_inferences() -> Iterable[InferenceSpec]:
    """The built-in inferences."""
    return [CENTER, TTE]
