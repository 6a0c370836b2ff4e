"""Heads: from features to logits."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import HeadSpec, hookimpl
from ltbench_plugins.heads.cosine import COSINE
from ltbench_plugins.heads.linear import LINEAR


@hookimpl
def ltbench_register_heads() -> Iterable[HeadSpec]:
    """The built-in heads."""
    return [COSINE, LINEAR]
