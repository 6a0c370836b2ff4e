"""CLIP with OpenAI's weights: the backbones of most of the papers' tables.

These weights were trained with the quick GELU, x * sigmoid(1.702 x). With the exact GELU, which
open_clip's configs without `-quickgelu` have, the same weights make another, worse model.
"""

from __future__ import annotations

from ltbench_plugins.backbones.named import named
from ltbench_plugins.backbones.open_clip import OPEN_CLIP

_MODELS = {
    "clip_vit_b16": ("ViT-B-16-quickgelu", "ViT-B/16"),
    "clip_vit_b32": ("ViT-B-32-quickgelu", "ViT-B/32"),
    "clip_vit_l14": ("ViT-L-14-quickgelu", "ViT-L/14"),
    "clip_vit_l14_336": ("ViT-L-14-336-quickgelu", "ViT-L/14 at 336 pixels"),
    "clip_rn50": ("RN50-quickgelu", "ResNet-50"),
    "clip_rn101": ("RN101-quickgelu", "ResNet-101"),
}

CLIP = [
    named(
        OPEN_CLIP,
        name,
        f"CLIP {shown}, OpenAI's weights",
        "arXiv:2103.00020",
        model=model,
        tag="openai",
    )
    for name, (model, shown) in _MODELS.items()
]
