"""Backbones: image encoders of timm and open_clip, and a tiny one with its weights."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LateSpec, hookimpl

_MODULES = {
    "clip_tiny": ("clip_tiny",),
    "clip": (
        *("clip_vit_b16", "clip_vit_b32", "clip_vit_l14", "clip_vit_l14_336"),
        *("clip_rn50", "clip_rn101"),
    ),
    "efficientnet_lite": ("in1k_efficientnet_lite0",),
    "imagenet": (
        *("in21k_vit_b16", "in21k_vit_b16_384", "in21k_vit_l16", "in21k_vit_l16_384"),
        *("in1k_rn50", "in1k_rn101", "in1k_rn152"),
    ),
    "modern": (
        *("siglip2_vit_b16", "siglip2_vit_l16_256", "eva02_clip_vit_b16", "eva02_clip_vit_l14"),
        *("metaclip_vit_b16", "metaclip_vit_l14", "dinov2_vit_b14", "dinov2_vit_l14"),
        *("dinov3_vit_b16", "dinov3_vit_l16"),
    ),
    "open_clip": ("open_clip",),
    "timm": ("timm",),
}


@hookimpl
def ltbench_register_backbones() -> Iterable[LateSpec]:
    """Returns the built-in backbones."""
    return [
        LateSpec(name, f"{__name__}.{module}", default=name == "clip_tiny")
        for module, names in _MODULES.items()
        for name in names
    ]
