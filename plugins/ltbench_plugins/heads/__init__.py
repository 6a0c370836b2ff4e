"""Heads: classifiers from features to logits."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import HeadSpec, hookimpl
from ltbench_plugins.heads.cache import CACHE
from ltbench_plugins.heads.cosine import COSINE
from ltbench_plugins.heads.gla import GLA
from ltbench_plugins.heads.l2norm import L2NORM
from ltbench_plugins.heads.layernorm import LAYERNORM
from ltbench_plugins.heads.linear import LINEAR
from ltbench_plugins.heads.prompts import PROMPTS
from ltbench_plugins.heads.text_tower import TEXT_TOWER


@hookimpl
def ltbench_register_heads() -> Iterable[HeadSpec]:
    """Returns the built-in heads."""
    return [CACHE, COSINE, GLA, L2NORM, LAYERNORM, LINEAR, PROMPTS, TEXT_TOWER]
