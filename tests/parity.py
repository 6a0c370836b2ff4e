"""The reference values, and the reference models as backbones."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from ltbench.backbone import Backbone
from ltbench.contexts import BuildContext
from ltbench_plugins.backbones.clip_tiny import tokenize
from ltbench_plugins.modules.families import clip_backbone, timm_blocks

FOLDER = Path(__file__).parent / "data" / "parity"
HALF = (0.5, 0.5, 0.5)


@cache
def values(name: str = "reference") -> dict[str, Tensor]:
    return load_file(FOLDER / f"{name}.safetensors")


@cache
def facts(name: str = "reference") -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return loaded


def groups() -> dict[str, dict[str, Any]]:
    """What was measured of each run of the reference, by `family/method`."""
    clip = {f"clip/{name}": group for name, group in facts()["methods"].items()}
    return {**clip, **facts("reference_timm_resnet")["groups"]}


def clip_vit() -> Backbone:
    return _clip(facts()["clip"], "clip_tiny")


def clip_resnet() -> Backbone:
    return _clip(facts("reference_timm_resnet")["clip_resnet"], "clip_resnet")


def _clip(sizes: dict[str, Any], weights: str) -> Backbone:
    import open_clip

    model = open_clip.CLIP(
        embed_dim=sizes["embed_dim"],
        vision_cfg={
            "image_size": sizes["image_resolution"],
            "layers": sizes["vision_layers"],
            "width": sizes["vision_width"],
            "patch_size": sizes["vision_patch_size"],
        },
        text_cfg={
            "context_length": sizes["context_length"],
            "vocab_size": sizes["vocab_size"],
            "width": sizes["transformer_width"],
            "heads": sizes["transformer_heads"],
            "layers": sizes["transformer_layers"],
        },
        quick_gelu=True,
    )
    model.load_state_dict(load_file(FOLDER / f"{weights}.safetensors"))
    return clip_backbone(model, tokenize, sizes["image_resolution"], HALF, HALF)


def timm_vit() -> Backbone:
    from timm.models.vision_transformer import VisionTransformer

    model = VisionTransformer(**facts("reference_timm_resnet")["vit"])
    model.load_state_dict(load_file(FOLDER / "timm_vit.safetensors"))
    model.reset_classifier(0)
    return Backbone(model, width=96, resolution=32, mean=HALF, std=HALF, blocks=timm_blocks(model))


def narrow_vit(layers: int) -> Backbone:
    """A ViT of as many blocks as one likes, with random weights."""
    from timm.models.vision_transformer import VisionTransformer

    model = VisionTransformer(8, 8, embed_dim=8, depth=layers, num_heads=1, num_classes=0)
    return Backbone(model, width=8, resolution=8, mean=HALF, std=HALF, blocks=timm_blocks(model))


def timm_resnet() -> Backbone:
    from timm.models.resnet import BasicBlock, ResNet

    sizes = facts("reference_timm_resnet")["resnet"]
    model = ResNet(BasicBlock, sizes["layers"], 10, channels=sizes["channels"])
    model.load_state_dict(load_file(FOLDER / "timm_resnet.safetensors"))
    model.reset_classifier(0)
    return Backbone(model, width=64, resolution=32, mean=HALF, std=HALF, blocks=timm_blocks(model))


def context(class_counts: list[int], backbone: Backbone, names: list[str] | None = None) -> Any:
    return BuildContext(
        num_classes=len(class_counts),
        class_counts=tuple(class_counts),
        class_names=tuple(names or [f"class {index}" for index in range(len(class_counts))]),
        width=backbone.width,
        resolution=backbone.resolution,
        logit_scale=backbone.logit_scale,
        epochs=5,
        seed=0,
        device="cpu",
    )


def relative(ours: Tensor, reference: Tensor) -> float:
    """Norm of the difference over norm of the reference."""
    return float(torch.linalg.norm(ours - reference) / torch.linalg.norm(reference))
