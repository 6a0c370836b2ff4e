"""Backbones: image encoders of timm and open_clip, and a tiny one with its weights."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import BackboneSpec, hookimpl
from ltbench_plugins.backbones.clip import CLIP
from ltbench_plugins.backbones.clip_tiny import CLIP_TINY
from ltbench_plugins.backbones.efficientnet_lite import EFFICIENTNET_LITE0
from ltbench_plugins.backbones.imagenet import IMAGENET
from ltbench_plugins.backbones.modern import MODERN
from ltbench_plugins.backbones.open_clip import OPEN_CLIP
from ltbench_plugins.backbones.timm import TIMM


@hookimpl
def ltbench_register_backbones() -> Iterable[BackboneSpec]:
    """Returns the built-in backbones."""
    return [CLIP_TINY, *CLIP, EFFICIENTNET_LITE0, *IMAGENET, *MODERN, OPEN_CLIP, TIMM]
