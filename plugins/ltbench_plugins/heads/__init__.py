"""Heads: classifiers from features to logits."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LateSpec, hookimpl, late_specs


@hookimpl
def ltbench_register_heads() -> Iterable[LateSpec]:
    """Returns the built-in heads."""
    return late_specs(
        __name__,
        "cache",
        "cosine",
        "gla",
        "l2norm",
        "layernorm",
        "linear",
        "prompts",
        "text_tower",
        default="cosine",
    )
